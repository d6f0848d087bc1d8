"""`sidecar import`: brings a history of events, one JSON object a line, into a running sidecar."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, Literal

from sidecar.cli import import_progress, reach
from sidecar.cli.import_lines import LineReader
from sidecar.cli.import_progress import Progress
from sidecar.cli.import_session import Line, Place, Session, Wish
from sidecar.cli.outcome import BAD, WELL, Unanswerable
from sidecar.cli.printing import print_json, print_lines, table
from sidecar.limits import IMPORT_EVENTS_MAX

_SHOWN_MAX: Final = 20
"""Refused lines that are shown; `--rejected` gets all of them."""
_SAVE_S: Final = 1.0
_REPORT_S: Final = 10.0
_REDRAW_S: Final = 0.2
STDIN: Final = "-"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the file, what is asked of the sidecar, and where it is."""
    parser.add_argument("file", metavar="FILE", help="JSON lines; - for standard input")
    parser.add_argument("--resume", action="store_true", help="go on behind the last line that an earlier run settled")
    parser.add_argument("--datafile", metavar="NAME", default="", help="of events that name none")
    parser.add_argument("--include-optimizely", action="store_true", help="send them to Optimizely too")
    parser.add_argument("--batch", metavar="N", type=int, default=IMPORT_EVENTS_MAX, help="events of one message (500)")
    parser.add_argument("--rejected", metavar="FILE", help="write refused lines there, as they came")
    parser.add_argument(
        "--patience", metavar="SECONDS", type=float, default=60.0, help="how long to wait for a full outbox (60)"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    reach.add_arguments(parser)


def run(given: argparse.Namespace) -> int:
    """Import, and print what became of it; 1 when a line was refused. Raises `Unanswerable`, `ImportStopped`."""
    if not 1 <= given.batch <= IMPORT_EVENTS_MAX:
        raise Unanswerable(f"--batch is {given.batch}, wanted 1 to {IMPORT_EVENTS_MAX}")
    if given.file == STDIN and given.resume:
        raise Unanswerable("--resume is given with standard input, wanted a file: nothing is kept of a stream")
    with ExitStack() as closing:
        importing = _Import(given, closing)
        importing.begin()
        try:
            importing.session.run()
        finally:
            importing.save()
            importing.screen.end()
    return importing.conclude()


class _Import:
    """One run: the session, and what it keeps, shows and writes."""

    def __init__(self, given: argparse.Namespace, closing: ExitStack) -> None:
        self._history = None if given.file == STDIN else Path(given.file)
        self._json, self._name = given.json, given.file
        kept = import_progress.read(self._history) if self._history and given.resume else None
        self._earlier = kept
        file, first_line, start = _opened(self._history, kept, closing)
        self._first_line = import_progress.digest(first_line)
        self._rejected: BinaryIO | None = None
        if given.rejected:
            self._rejected = closing.enter_context(_writable(Path(given.rejected), "ab" if kept else "wb"))
        self._reader = LineReader(first_line)
        self._shown: list[tuple[int, str]] = []
        size = self._history.stat().st_size if self._history and self._history.is_file() else 0
        self.screen = _Screen(size, quiet=given.quiet)
        self._saved_s = time.monotonic()
        wish = Wish(
            target=reach.target(given),
            datafile=given.datafile,
            include_optimizely=given.include_optimizely,
            events_max=given.batch,
            timeout_s=given.timeout,
            patience_s=given.patience,
        )
        self.session = Session(file, start, self._reader, wish, self._refused, self._progressed)

    def begin(self) -> None:
        """Keep where it begins. Raises `Unanswerable` when that cannot be kept: better now than in the middle."""
        try:
            self.save()
        except OSError as refused:
            raise Unanswerable(
                f"`{import_progress.path_of(Path(self._name))}` cannot be written: {refused.strerror};"
                f" give the history as standard input, of which no progress is kept; nothing was imported"
            ) from refused

    def save(self) -> None:
        """Keep how far it came. Raises `OSError`."""
        history, place, totals = self._history, self.session.settled, self.session.totals
        if history is None or not history.is_file():
            return
        earlier = self._earlier
        progress = Progress(
            line=place.line,
            offset=place.offset,
            first_line=self._first_line,
            before=import_progress.before(history, place.offset),
            accepted=totals.accepted + (earlier.accepted if earlier else 0),
            refused=totals.refused + (earlier.refused if earlier else 0),
        )
        import_progress.write(history, progress)
        self._saved_s = time.monotonic()

    def conclude(self) -> int:
        """Print the summary; the exit code."""
        totals = self.session.totals
        if self._json:
            print_json(self._summary())
        else:
            sys.stderr.writelines(f"{self._name}:{number}: {reason}\n" for number, reason in sorted(self._shown))
            more = totals.refused - len(self._shown)
            if more > 0:
                sys.stderr.write(f"… and {more:,} more lines were refused\n")
            print_lines(self._told())
        return BAD if totals.refused else WELL

    def _told(self) -> list[str]:
        totals = self.session.totals
        accepted = f"{totals.accepted:,} events accepted, {totals.repeated:,} of them repeats"
        lines = [f"{accepted}; {totals.refused:,} lines refused"]
        if self._earlier is not None:
            lines.append(f"went on behind line {self._earlier.line:,}, of which nothing is counted here")
        if totals.outcomes:
            rows = [("destination", "outcome", "events")]
            rows += [
                (destination, f"{state} {reason}".strip(), f"{events:,}")
                for (destination, state, reason), events in sorted(totals.outcomes.items())
            ]
            lines += table(rows, left=2)
        if totals.summed != totals.accepted:
            lines.append(f"outcomes are those of {totals.summed:,} events: the stream was interrupted")
        lines += [f"left out: `{name}` of {count:,} lines" for name, count in sorted(self._reader.left_out.items())]
        return lines

    def _summary(self) -> dict[str, object]:
        totals = self.session.totals
        return {
            "accepted": totals.accepted,
            "repeated": totals.repeated,
            "refused": totals.refused,
            "refused_lines": [{"line": number, "reason": reason} for number, reason in sorted(self._shown)],
            "outcomes": [
                {"destination": destination, "state": state, "reason": reason, "events": events}
                for (destination, state, reason), events in sorted(totals.outcomes.items())
            ],
            "left_out": dict(sorted(self._reader.left_out.items())),
        }

    def _refused(self, line: Line, reason: str) -> None:
        if len(self._shown) < _SHOWN_MAX:
            self._shown.append((line.number, reason))
        if self._rejected is not None:
            self._rejected.write(line.text + b"\n")

    def _progressed(self) -> None:
        if time.monotonic() - self._saved_s >= _SAVE_S:
            self.save()
        self.screen.show(self.session.totals.accepted, self.session.totals.refused, self.session.settled.offset)


def _opened(history: Path | None, kept: Progress | None, closing: ExitStack) -> tuple[BinaryIO, bytes, Place]:
    """The history at the place to begin with, and its first line. Raises `Unanswerable`."""
    if history is None:
        return sys.stdin.buffer, b"", Place()
    try:
        file = closing.enter_context(history.open("rb"))
    except OSError as unreadable:
        raise Unanswerable(f"`{history}` cannot be read: {unreadable.strerror}") from unreadable
    if not file.seekable():
        return file, b"", Place()
    first_line = file.readline()
    start = Place(kept.line, kept.offset) if kept else Place()
    file.seek(start.offset)
    return file, first_line, start


def _writable(path: Path, mode: Literal["ab", "wb"]) -> BinaryIO:
    """The file of refused lines. Raises `Unanswerable`."""
    try:
        return path.open(mode)
    except OSError as refused:
        raise Unanswerable(f"--rejected: `{path}` cannot be written: {refused.strerror}") from refused


class _Screen:
    """Progress on standard error: a bar on a terminal, else a line now and then."""

    def __init__(self, size_bytes: int, *, quiet: bool) -> None:
        self._size_bytes, self._quiet = size_bytes, quiet
        self._terminal = sys.stderr.isatty()
        self._began_s = self._shown_s = time.monotonic()

    def show(self, accepted: int, refused: int, offset: int) -> None:
        """How far it is, unless that was shown just now."""
        now_s = time.monotonic()
        if self._quiet or now_s - self._shown_s < (_REDRAW_S if self._terminal else _REPORT_S):
            return
        self._shown_s = now_s
        share = f"{offset / self._size_bytes:.0%}, " if self._size_bytes else ""
        rate = accepted / (now_s - self._began_s)
        text = f"{share}{accepted:,} events accepted, {refused:,} refused, {rate:,.0f}/s"
        sys.stderr.write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Blank the bar, so that the answer stands alone."""
        if self._terminal and not self._quiet:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
