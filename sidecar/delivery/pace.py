"""How fast delivery goes: the waits of a lane, all in one value, so that a test can shorten them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sidecar import retry
from sidecar.delivery.section import DeliverySection
from sidecar.limits import BACKOFF_MIN_S, PAUSE_PROBE_INTERVAL_S, PENDING_AGE_MAX_S

_EXPIRY_INTERVAL_S: Final = 30.0
_EXPIRY_LOOKS: Final = 10
"""How often the age of a pending event is looked at before it is reached, at least: a short bound is kept too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Waits in seconds, unless the name says otherwise."""

    delay_s: Callable[[int, float], float] = retry.delay_s
    """The wait after failure number n (from 0) in a row, given a random number; see `retry.delay_s`."""
    backoff_min_s: float = BACKOFF_MIN_S
    """What of that wait no flush cuts short."""
    probe_interval_s: float = PAUSE_PROBE_INTERVAL_S
    """How often a paused destination is tried, with one batch."""
    expiry_interval_s: float = _EXPIRY_INTERVAL_S
    """How often pending events are looked at for their age, between two attempts."""
    pending_age_max_s: Mapping[str, float] = field(default_factory=dict)
    """How long an event may be pending before it is a dead letter, by destination; absent takes 24 h."""
    linger_step_s: float = 0.05
    """How often a lane that waits for company looks whether a batch is full."""

    @classmethod
    def configured(cls, section: DeliverySection, age_max_s: float, destinations: Collection[str]) -> Pace:
        """The pace of the daemon; `age_max_s` bounds the pending events of each of the destinations."""
        return cls(
            delay_s=partial(retry.delay_s, min_s=section.backoff_min_s, max_s=section.backoff_max_s),
            backoff_min_s=section.backoff_min_s,
            probe_interval_s=section.pause_probe_interval_s,
            expiry_interval_s=min(_EXPIRY_INTERVAL_S, age_max_s / _EXPIRY_LOOKS),
            pending_age_max_s=dict.fromkeys(destinations, age_max_s),
        )

    def age_max_s(self, destination: str) -> float:
        """How long an event may be pending at a destination."""
        return self.pending_age_max_s.get(destination, PENDING_AGE_MAX_S)
