"""The outbox's configuration. What a destination may override is in the section of that destination."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.limits import DEAD_LETTER_BYTES_MAX, OUTBOX_BYTES_MAX, PENDING_AGE_MAX_S
from sidecar.outbox.schema import Durability


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSection:
    """How accepted events are kept until their destinations have them."""

    durability: Durability = Durability.PROCESS
    """What accepted events survive: `memory` nothing, `process` the death of the process, `power` a crash of
    the machine (each reply waits for an fsync). Default `process`: a pod's volume outlives its containers,
    rarely its node.
    """

    bytes_max: int = OUTBOX_BYTES_MAX
    """Stored bytes that one destination may have pending, at least 1; past it its oldest events become dead
    letters, or new ones are refused when no other destination takes them. Default 512 MiB: an outage of hours
    at a pod's rates.
    """

    dead_letter_bytes_max: int = DEAD_LETTER_BYTES_MAX
    """Stored bytes of dead letters of one destination, 0 = keep none; past it the oldest are dropped and
    counted. Default 64 MiB: enough to see what is wrong and to requeue it.
    """

    age_max_s: float = PENDING_AGE_MAX_S
    """Seconds that an event may be pending, more than 0; past it it becomes a dead letter (EXPIRED). Default
    24 h: the time for which a repeat of an event id is recognised.
    """

    def __post_init__(self) -> None:
        """Raise `ValueError` for a bound that would let no event stay."""
        if self.bytes_max < 1:
            raise ValueError(f"bytes_max is {self.bytes_max}, wanted 1 or more: no event would be accepted")
        if self.age_max_s <= 0:
            raise ValueError(f"age_max is {self.age_max_s:g} s, wanted more than 0 s: no event would be delivered")
