"""Events as JSON lines on standard output, for development and for collectors of container logs."""

from __future__ import annotations

import asyncio
import select
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final

from sidecar.destinations.endpoint import check_events_max
from sidecar.destinations.plain import PlainDestination
from sidecar.limits import IMPORT_BYTES_MAX
from sidecar.ports import Answer, Batch, BatchLimits
from sidecar.retry import Verdict

_WRITING: Final = threading.Lock()
"""The process has one standard output: no two batches of it, of one destination or two, are mixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutConfig:
    """The section of a destination of type `stdout`."""

    batch_events_max: int = 1_000
    """Events written at once, 1 or more."""
    batch_age_max_s: float = 0.2
    """How long an event may wait for company, so that a person who watches sees it soon."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a bound of nothing."""
        check_events_max(self.batch_events_max)


class StdoutDestination(PlainDestination):
    """Every kind, as our JSON event, one a line. Delivered once the system took the line."""

    def __init__(self, name: str, config: StdoutConfig, stream: BinaryIO) -> None:
        limits = BatchLimits(
            events_max=config.batch_events_max,
            bytes_max=IMPORT_BYTES_MAX,
            event_bytes_max=IMPORT_BYTES_MAX,
            age_max_s=config.batch_age_max_s,
        )
        super().__init__(name, limits, envelope=len("\n"))
        self._stream = stream

    async def send(self, batch: Batch) -> Answer:
        """Write the lines in a thread of their own: a full pipe blocks its writer, and must hold up no stop."""
        loop = asyncio.get_running_loop()
        written: asyncio.Future[Answer] = loop.create_future()
        lines = b"\n".join(batch.rendered) + b"\n"

        def write() -> None:
            answer = self._write(lines)
            # A loop that is closed has nobody who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_answer, written, answer)

        # Why not the loop's pool: its threads are waited for at exit, and nobody may ever read the pipe.
        threading.Thread(target=write, name="stdout", daemon=True).start()
        return await written

    async def close(self) -> None:
        """Leaves the stream open: it is the process's."""

    def _write(self, lines: bytes) -> Answer:
        try:
            with _WRITING:
                view = memoryview(lines)
                while view:
                    taken = self._stream.write(view)
                    view = view[taken or 0 :]
                    if not taken:
                        # Whoever made the pipe lets nobody wait in a write.
                        select.select([], [self._stream], [])
                self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return Answer(Verdict.RETRY, f"cannot write to standard output: {error}")
        return Answer(Verdict.DELIVERED)


def _answer(written: asyncio.Future[Answer], answer: Answer) -> None:
    if not written.done():
        written.set_result(answer)
