"""The configuration of delivery: how patient it is with destinations that fail.

Rules: docs/decisions/0030-delivery.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.limits import BACKOFF_MAX_S, BACKOFF_MIN_S, PAUSE_PROBE_INTERVAL_S


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySection:
    """How delivery waits for a destination that fails; the same for each of them."""

    backoff_min_s: float = BACKOFF_MIN_S
    """The shortest wait after a failed attempt whose answer names none, more than 0 s. The wait doubles with each
    failure in a row, and is spread at random over half of itself.
    """

    backoff_max_s: float = BACKOFF_MAX_S
    """The longest wait after a failed attempt whose answer names none, at least `backoff_min`. Lower it and a
    destination that comes back is noticed sooner, but asked more often while it is down.
    """

    pause_probe_interval_s: float = PAUSE_PROBE_INTERVAL_S
    """How often a paused destination is tried, with one batch; more than 0 s."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a wait of nothing, or a longest wait below the shortest."""
        if self.backoff_min_s <= 0 or self.pause_probe_interval_s <= 0:
            raise ValueError("backoff_min or pause_probe_interval is 0, wanted more than 0 s")
        if self.backoff_max_s < self.backoff_min_s:
            raise ValueError(
                f"backoff_max is {self.backoff_max_s:g} s, wanted at least backoff_min, {self.backoff_min_s:g} s"
            )
