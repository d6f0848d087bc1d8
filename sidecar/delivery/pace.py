"""How fast delivery goes: the waits of a lane, all in one value, so that a test can shorten them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sidecar import retry
from sidecar.limits import PAUSE_PROBE_INTERVAL_S, PENDING_AGE_MAX_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Waits in seconds, unless the name says otherwise."""

    delay_s: Callable[[int, float], float] = retry.delay_s
    """The wait after failure number n (from 0) in a row, given a random number; see `retry.delay_s`."""
    probe_interval_s: float = PAUSE_PROBE_INTERVAL_S
    """How often a paused destination is tried, with one batch."""
    expiry_interval_s: float = 30.0
    """How often pending events are looked at for their age, between two attempts."""
    pending_age_max_s: Mapping[str, float] = field(default_factory=dict)
    """How long an event may be pending before it is a dead letter, by destination; absent takes 24 h."""
    linger_step_s: float = 0.05
    """How often a lane that waits for company looks whether a batch is full."""

    def age_max_s(self, destination: str) -> float:
        """How long an event may be pending at a destination."""
        return self.pending_age_max_s.get(destination, PENDING_AGE_MAX_S)
