"""When a store that does not answer is asked again. No I/O and no clock: time is an argument."""

from __future__ import annotations

import structlog

from sidecar.limits import PROFILE_FAILURES_MAX, PROFILE_REST_MAX_S, PROFILE_REST_MIN_S


class Patience:
    """When a store that did not answer is asked again: a few failures in a row rest it, one lookup at a time tries it.

    Time is an argument, in seconds of a monotonic clock.
    """

    def __init__(self, store: str) -> None:
        self._store = store
        self._failures = 0
        self._rest_s = 0.0
        self._until_s = 0.0
        self._probing = False
        self._log = structlog.get_logger()

    @property
    def resting(self) -> bool:
        """Whether the store is left alone but for one lookup now and then."""
        return self._rest_s > 0

    def admits(self, now_s: float) -> bool | None:
        """Whether a lookup may ask: False = as usual, True = as the one that tries, None = no."""
        if not self.resting:
            return False
        if self._probing or now_s < self._until_s:
            return None
        self._probing = True
        return True

    def failed(self, now_s: float, cause: str, *, probe: bool) -> None:
        """A lookup was late or got an error."""
        self._failures += 1
        if self.resting and not probe:
            return
        if not self.resting and self._failures >= PROFILE_FAILURES_MAX:
            self._log.error("profile_store_left_alone", store=self._store, cause=cause)
        elif not self.resting:
            return
        self._probing = False
        self._rest_s = min(max(self._rest_s * 2, PROFILE_REST_MIN_S), PROFILE_REST_MAX_S)
        self._until_s = now_s + self._rest_s

    def succeeded(self) -> None:
        """A lookup was answered in time."""
        if self.resting:
            self._log.info("profile_store_answers_again", store=self._store)
        self._failures = 0
        self._rest_s = 0.0
        self._probing = False
