"""The act: records exposures, answers whether one was recorded, and keeps the sketch in the data directory.

The sketch is touched by the event loop's thread alone; a write works on a copy, in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from sidecar.exposures import file
from sidecar.exposures.sketch import STEPS_KEPT, Sketch
from sidecar.limits import (
    EXPOSURES_BYTES_LEAST,
    EXPOSURES_BYTES_MAX,
    EXPOSURES_BYTES_MOST,
    EXPOSURES_SAVE_INTERVAL_LEAST_S,
    EXPOSURES_SAVE_INTERVAL_S,
    EXPOSURES_WINDOW_LEAST_S,
    EXPOSURES_WINDOW_S,
)
from sidecar.ports import Clock

FILE_NAME: Final = "exposures.sketch"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposuresSection:
    """What this process remembers of the impressions that it made, to tell conversions that cannot count."""

    remember: bool = False
    """Whether to remember at all. Off by default: it is a hint, of one process, and takes memory."""

    window_s: float = EXPOSURES_WINDOW_S
    """Seconds that an exposure is remembered, and up to a hundredth more; at least 60. Default 30 days: longer than
    most experiments' conversions take."""

    bytes_max: int = EXPOSURES_BYTES_MAX
    """Memory, and size of the file `exposures.sketch` in the data directory, from 64 KiB to 256 MiB; twice as much
    while it is written. Three bytes hold one pair of user and experiment; a full sketch forgets its oldest. Default
    8 MiB: two million pairs."""

    save_interval_s: float = EXPOSURES_SAVE_INTERVAL_S
    """Seconds between two writes of the file, at least 1; it is written at stop, too. What a kill can cost. Default
    5 minutes: a hint is not worth a busier disk."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a field out of its range."""
        least, most = EXPOSURES_BYTES_LEAST, EXPOSURES_BYTES_MOST
        if not least <= self.bytes_max <= most:
            raise ValueError(f"bytes_max is {self.bytes_max}, wanted {least} to {most}")
        if not EXPOSURES_WINDOW_LEAST_S <= self.window_s < float("inf"):
            raise ValueError(f"window_s is {self.window_s:g}, wanted at least {EXPOSURES_WINDOW_LEAST_S}")
        if not EXPOSURES_SAVE_INTERVAL_LEAST_S <= self.save_interval_s < float("inf"):
            least_s = EXPOSURES_SAVE_INTERVAL_LEAST_S
            raise ValueError(f"save_interval_s is {self.save_interval_s:g}, wanted at least {least_s:g}")


class Exposures:
    """The exposures of this process. `record` and `seen` take microseconds, never wait and never fail."""

    def __init__(self, section: ExposuresSection, *, directory: Path, clock: Clock, file_name: str = FILE_NAME) -> None:
        """Empty until `open`; `directory` must exist then."""
        self._path = directory / file_name
        self._clock = clock
        self._step_s = section.window_s / STEPS_KEPT
        self._save_interval_s = section.save_interval_s
        self._began_s = clock.monotonic_s()
        self._sketch = Sketch(section.bytes_max)
        self._changed = self._failing = False
        self._log = structlog.get_logger()
        self.recorded = 0
        """Exposures recorded since start, repeats included."""
        self.crowded_out = 0
        """Of those, the ones for which an unexpired one was forgotten: the sketch is too small."""

    @property
    def size_bytes(self) -> int:
        """What the sketch takes in memory."""
        return self._sketch.size_bytes

    def record(self, user_id: str, experiment_id: str) -> None:
        """Remember that an impression of an experiment was offered for a user; an empty experiment is nothing."""
        if experiment_id:
            self.recorded += 1
            self.crowded_out += self._sketch.record(user_id, experiment_id, self._step())
            self._changed = True

    def seen(self, user_id: str, experiment_ids: Iterable[str]) -> bool:
        """Whether an exposure of any of these experiments is remembered for a user.

        False says nothing: other processes, an expired one, a crowded sketch. True is wrong for at most
        `sketch.FALSE_SEEN_RATE_MAX` of the pairs that were not recorded.
        """
        step = self._step()
        return any(self._sketch.seen(user_id, experiment_id, step) for experiment_id in experiment_ids)

    async def open(self) -> None:
        """Take over what the last process kept. A file that is damaged is set aside, and nothing else happens."""
        try:
            saved = await asyncio.to_thread(file.read, self._path)
        except file.SketchDamaged as damaged:
            await self._set_aside(str(damaged))
        except OSError as unreadable:
            self._log.warning("exposures_unreadable", path=str(self._path), cause=str(unreadable))
        else:
            if saved is not None:
                self._restore(saved)

    def services(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
        """One service for the one TaskGroup; runs until it is cancelled. `close` comes after it has ended."""
        return [self.run]

    async def run(self) -> None:
        """Write the file now and then, when something changed, until cancelled."""
        while True:
            await asyncio.sleep(self._save_interval_s)
            await self.save()

    async def close(self) -> None:
        """Write the file a last time. Idempotent."""
        await self.save()

    async def save(self) -> None:
        """Write the file, if something was recorded since. A disk that refuses is logged once, until it takes it."""
        if not self._changed:
            return
        # Why before the write: what is recorded meanwhile belongs to the next one.
        self._changed = False
        try:
            await asyncio.to_thread(file.write, self._path, self._saved())
        except OSError as refused:
            self._changed = True
            if not self._failing:
                self._log.warning("exposures_unsaved", path=str(self._path), cause=str(refused))
            self._failing = True
            return
        self._failing = False

    def _step(self) -> int:
        return int((self._clock.monotonic_s() - self._began_s) / self._step_s)

    def _saved(self) -> file.Saved:
        sketch = self._sketch
        return file.Saved(
            header=file.Header(
                bucket_count=sketch.bucket_count,
                step_s=self._step_s,
                step=sketch.step,
                step_age_s=self._clock.monotonic_s() - self._began_s - sketch.step * self._step_s,
                saved_ms=self._clock.now_ms(),
            ),
            fingerprints=sketch.fingerprints.tobytes(),
            steps=bytes(sketch.steps),
        )

    def _restore(self, saved: file.Saved) -> None:
        header = saved.header
        if header.bucket_count != self._sketch.bucket_count:
            # A fingerprint does not say which bucket it would be in among another number of them.
            self._log.info("exposures_forgotten", reason="bytes_max was changed")
            return
        # Why at least 0: a wall clock that was set back would make exposures younger than now.
        passed_s = header.step_age_s + max(0, self._clock.now_ms() - header.saved_ms) / 1_000
        # Why whole steps, and a beginning in the past: rounding at each restart would make a window longer than it is.
        passed_steps = int(passed_s / self._step_s)
        self._began_s = self._clock.monotonic_s() - (passed_s - passed_steps * self._step_s)
        self._sketch.restore(
            saved.fingerprints,
            saved.steps,
            saved_step=header.step,
            stretch=header.step_s / self._step_s,
            passed_steps=passed_steps,
        )
        self._log.info("exposures_restored", remembered=self._sketch.remembered())

    async def _set_aside(self, problem: str) -> None:
        try:
            aside = await asyncio.to_thread(file.set_aside, self._path)
        except OSError as refused:
            problem, aside = f"{problem}; it could not be set aside: {refused}", self._path
        self._log.warning("exposures_damaged", path=str(self._path), problem=problem, kept_as=str(aside))
