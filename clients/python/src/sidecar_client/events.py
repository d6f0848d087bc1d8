"""Events as a caller sees them: money, and what became of an event that was accepted. Frozen values.

Nothing here knows protobuf or a transport. The meaning of each field is fixed by
proto/sidecar/v1/event.proto.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sidecar_client.errors import SidecarError


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in major units (dollars, not cents) and its ISO 4217 code, three upper-case letters.

    Raises TypeError for a float, which is not exact, and ValueError for an amount that is not finite or a
    currency of another form.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        given: object = self.amount
        if not isinstance(given, Decimal):
            wanted = "wanted a Decimal, as Decimal('19.99')"
            raise TypeError(f"revenue amount is {type(given).__name__} `{given}`, {wanted}")
        if not self.amount.is_finite():
            raise ValueError(f"revenue amount is `{self.amount}`, wanted a finite amount")
        code = self.currency
        if re.fullmatch(r"[A-Z]{3}", code) is None:
            raise ValueError(f"revenue currency is `{code}`, wanted an ISO 4217 code as `USD`")


class OutcomeState(StrEnum):
    """Whether a destination will get the event."""

    UNSPECIFIED = "UNSPECIFIED"
    QUEUED = "QUEUED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event at one destination; `reason` is empty when all of it is queued."""

    destination: str
    state: OutcomeState
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An event that is written and will be delivered at least once, under this id.

    `exposure_seen_here` is true when this sidecar made an impression, for this user, of an experiment that
    the event measures; a hint that only `track` gives, and false says nothing.
    """

    event_id: str
    outcomes: tuple[Outcome, ...] = ()
    exposure_seen_here: bool = False
    buffered: bool = False
    """True when no sidecar took it yet and this client keeps it in memory, to send it later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedBatch:
    """Events of an import that the sidecar refused together, and why.

    `first_index` is the place of the first among all that were given, from 0; the violations of `error` count from
    it: `events[2].user_id` is event `first_index + 2`.
    """

    first_index: int
    events: int
    error: SidecarError


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of an import: events accepted, repeats included, and what was refused.

    `repeated` counts accepted events whose id was accepted before, and which are not queued again. `outcomes` are the
    different outcomes, with how many events had each.
    """

    accepted: int
    repeated: int
    refused: tuple[RefusedBatch, ...]
    outcomes: Mapping[Outcome, int]
