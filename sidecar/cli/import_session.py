"""The import of one history: reads lines, keeps a bounded number of messages under way, and settles them in order.

A message that is refused is sent again without the lines that are wrong, so that one bad event costs no other. What
stops a stream and may pass is waited for; ids make a second sending harmless. Rules: docs/import.md.
"""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from sidecar.cli.import_lines import LineReader, LineRefused
from sidecar.cli.outcome import Unanswerable
from sidecar.client.channel import Target
from sidecar.client.importing import Answer, Draft, ImportCall, ImportStopped, Refused
from sidecar.limits import IMPORT_BYTES_MAX, MESSAGE_BYTES_MAX

_AHEAD_MAX: Final = 8
"""Messages that are sent and not answered."""
_MESSAGE_BYTES_MAX: Final = 1024 * 1024
_EVENT_BYTES_MAX: Final = 2 * MESSAGE_BYTES_MAX
"""An event above it would stop the stream; of a smaller one that is too large the sidecar says so itself."""
_LINE_BYTES_MAX: Final = 16 * 1024 * 1024
_RETRY_S: Final = 0.5
_PLACE: Final = re.compile(r"events\[(\d+)\]\.?(.*)", re.DOTALL)

assert _MESSAGE_BYTES_MAX + _EVENT_BYTES_MAX < IMPORT_BYTES_MAX, "the event that fills a message fits into it"


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two lines: how many are before it, and how many bytes."""

    line: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line as read, without its end; `at` is the place before it, `event` what is sent of it."""

    at: Place
    text: bytes
    event: bytes = b""

    @property
    def number(self) -> int:
        """From 1."""
        return self.at.line + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of the sidecar, and how long it may make no progress before the import gives up."""

    target: Target
    datafile: str
    include_optimizely: bool
    events_max: int
    timeout_s: float
    patience_s: float


@dataclass(slots=True)
class Totals:
    """What became of the lines so far. `summed` accepted events are those that `outcomes` and `repeated` are of."""

    accepted: int = 0
    refused: int = 0
    repeated: int = 0
    summed: int = 0
    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)


class Session:
    """One import. `on_refused` is told of each line that is wrong, with the reason; `on_progress` when some settled."""

    def __init__(  # noqa: PLR0917 - a source, what is asked, and who is told, each once
        self,
        file: BinaryIO,
        start: Place,
        reader: LineReader,
        wish: Wish,
        on_refused: Callable[[Line, str], None],
        on_progress: Callable[[], None],
    ) -> None:
        """`file` stands at `start`."""
        self._lines = lines_of(file, start)
        self._read_through = start
        self._reader, self._wish = reader, wish
        self._on_refused, self._on_progress = on_refused, on_progress
        self._again: deque[list[Line]] = deque()
        self._sent: deque[tuple[int, list[Line]]] = deque()
        self._moved_s = time.monotonic()
        self.totals = Totals()

    @property
    def settled(self) -> Place:
        """Everything before it is accepted, or refused for good."""
        waiting = [lines[0].at for lines in (*self._again, *(lines for _, lines in self._sent))]
        return min(waiting, key=lambda place: place.line, default=self._read_through)

    def run(self) -> None:
        """Import everything. Raises `ImportStopped` when the sidecar stays away, `Unanswerable` when it takes none."""
        wish = self._wish
        while True:
            try:
                with ImportCall(
                    wish.target,
                    include_optimizely=wish.include_optimizely,
                    datafile=wish.datafile,
                    timeout_s=wish.timeout_s,
                ) as call:
                    self._stream(call)
                return
            except ImportStopped as stopped:
                self._again.extendleft(lines for _, lines in reversed(self._sent))
                self._sent.clear()
                if not stopped.retryable or time.monotonic() - self._moved_s >= wish.patience_s:
                    raise
                time.sleep(max(_RETRY_S, stopped.refused.wait_s))

    def _stream(self, call: ImportCall) -> None:
        answers, through, ended = call.answers(), 0, False
        while True:
            while len(self._sent) < _AHEAD_MAX and (lines := self._next()):
                through += len(lines)
                self._sent.append((through, lines))
                call.send([line.event for line in lines])
            if not self._sent and not ended:
                call.end()
                ended = True
            answer = next(answers, None)
            if answer is None or answer.summary is not None:
                self._sum(answer)
                return
            self._settle(answer)
            self._on_progress()

    def _sum(self, answer: Answer | None) -> None:
        if answer is None or answer.summary is None:
            raise ImportStopped(self._wish.target.address, Refused("UNAVAILABLE", "the stream ended without a summary"))
        summary = answer.summary
        self.totals.repeated += summary.repeated
        self.totals.summed += summary.accepted
        self.totals.outcomes.update(summary.outcomes)

    def _settle(self, answer: Answer) -> None:
        self._moved_s = time.monotonic()
        while self._sent and self._sent[0][0] <= answer.accepted_through:
            through, lines = self._sent.popleft()
            if answer.refused is not None and through == answer.accepted_through:
                self._take_apart(lines, answer.refused)
            else:
                self.totals.accepted += len(lines)

    def _take_apart(self, lines: list[Line], refused: Refused) -> None:
        """Refuse the lines that are wrong and send the others again; when nobody knows which, look in each half."""
        wrong: dict[int, list[str]] = {}
        for path, description in refused.violations:
            found = _PLACE.fullmatch(path)
            if found is not None:
                wrong.setdefault(int(found[1]), []).append(f"{found[2] or 'event'}: {description}")
        good = [line for index, line in enumerate(lines) if index not in wrong]
        unknown = refused.reason == "DATAFILE_NOT_FOUND" and refused.about.get("datafile") == self._wish.datafile
        if unknown or refused.reason == "NO_DATAFILE":
            # Why: no line is at fault, and the next message would fare the same.
            self._again.appendleft(lines)
            raise Unanswerable(f"import refused: {refused.message}; line {lines[0].number} was the first")
        if not wrong and len(lines) == 1:
            wrong, good = {0: [f"{refused.reason}: {refused.message}"]}, []
        for index, reasons in sorted(wrong.items()):
            self._refuse(lines[index], "; ".join(reasons))
        halves = [good] if wrong else [good[: len(good) // 2], good[len(good) // 2 :]]
        self._again.extend(half for half in halves if half)

    def _refuse(self, line: Line, reason: str) -> None:
        self.totals.refused += 1
        self._on_refused(line, reason)

    def _next(self) -> list[Line]:
        """The lines of the next message, none when all were read."""
        if self._again:
            return self._again.popleft()
        gathered: list[Line] = []
        size = 0
        for line, after in self._lines:
            self._read_through = after
            if line is not None:
                try:
                    event = _encoded(self._reader.read(line.text, line.number))
                except (LineRefused, ValueError) as wrong:
                    self._refuse(line, str(wrong))
                else:
                    gathered.append(Line(line.at, line.text, event))
                    size += len(event)
            if len(gathered) >= self._wish.events_max or size >= _MESSAGE_BYTES_MAX:
                break
        return gathered


def _encoded(draft: Draft) -> bytes:
    """An event as it is sent. Raises `LineRefused` when no message has room for it, `ValueError` as `Draft.encode`."""
    event = draft.encode()
    if len(event) > _EVENT_BYTES_MAX:
        raise LineRefused(f"event: is {len(event)} bytes, wanted at most {MESSAGE_BYTES_MAX}")
    return event


def lines_of(file: BinaryIO, start: Place) -> Iterator[tuple[Line | None, Place]]:
    """Each line and the place behind it; None for one that is blank. One that is too long is cut, and so no JSON."""
    at = start
    while text := file.readline(_LINE_BYTES_MAX):
        size = len(text)
        while not text.endswith(b"\n") and (rest := file.readline(_LINE_BYTES_MAX)):
            size += len(rest)
            if rest.endswith(b"\n"):
                break
        after = Place(at.line + 1, at.offset + size)
        text = text.strip()
        yield (Line(at, text) if text else None), after
        at = after
