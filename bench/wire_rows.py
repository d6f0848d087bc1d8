"""The rows of the wire: calls to a whole sidecar over its transport, against a bare `grpc.aio` echo in the same run."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import h2load
from bench.comparison import Compared, Plan, compare
from bench.daemon import Configured, Daemon, collector, nobody, running
from bench.h2load import Shape
from bench.requests import Asked, decide, track
from bench.scale import Scale
from bench.table import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRow:
    """One row as data. `bound` is of the CPU ratio; of the median time of a call, at most, when it is called `alone`.

    With `delivered` its events are delivered to a collector while the calls go on, and the round ends when all are.
    """

    name: str
    asked: Asked
    bound: float | None = None
    durability: str = "process"
    delivered: bool = False
    alone: bool = False
    share: float = 1.0
    note: str = ""

    def measure(self, scale: Scale) -> Iterator[Row]:
        """Start a sidecar and an echo, load them in turns. Skips itself where h2load is missing."""
        if reason := h2load.missing():
            yield Row(name=self.name, bound=self.bound, at_most=self.alone, skipped=reason)
            return
        compared = self._compared(scale)
        ours, yardstick = compared.words(latency=self.alone)
        yield Row(
            name=self.name,
            ours=ours,
            yardstick=yardstick,
            figure=compared.slowdown if self.alone else compared.ratio,
            bound=self.bound,
            at_most=self.alone,
            note="; ".join(part for part in (self.note, compared.noise()) if part),
        )

    def _compared(self, scale: Scale) -> Compared:
        calls = max(1, round(scale.calls * self.share))
        shape = Shape(calls=calls, connections=1, streams=1) if self.alone else Shape(calls=calls)
        plan = Plan(
            asked=self.asked,
            shape=shape,
            rounds=scale.rounds,
            cores=scale.cores,
            delivered=self.delivered,
        )
        with tempfile.TemporaryDirectory() as name, self._daemon(scale, Path(name)) as daemon:
            return compare(daemon, plan, Path(name))

    @contextlib.contextmanager
    def _daemon(self, scale: Scale, directory: Path) -> Iterator[Daemon]:
        destination = collector(scale.cores, directory) if self.delivered else nobody()
        with destination as endpoint:
            configured = Configured(endpoint=endpoint, durability=self.durability, transport=scale.transport)
            with running(configured, scale.cores, directory) as daemon:
                yield daemon


_DELIVERED = "the whole price of an event: accepted, written, read, rendered, sent to a collector, settled"
_OWN_IDS = "each call gets an event_id of its own from the server, since h2load repeats one body"

WIRE_ROWS = {
    "decide-one": WireRow(
        name="Decide, one flag, impression written", asked=decide("flag_0"), bound=0.7, note="40 in flight"
    ),
    "decide-all": WireRow(name="Decide, 20 flags, impressions written", asked=decide(), bound=0.6, note="40 in flight"),
    "track": WireRow(
        name="Track, reply after the write (process)", asked=track(), bound=0.5, note=f"40 in flight; {_OWN_IDS}"
    ),
    "track-power": WireRow(
        name="Track, reply after the fsync (power)",
        asked=track(),
        durability="power",
        note="40 in flight; its rate is the disk's",
    ),
    "decide-delivered": WireRow(
        name="Decide, one flag, delivery running", asked=decide("flag_0"), delivered=True, note=_DELIVERED
    ),
    "track-delivered": WireRow(name="Track, delivery running", asked=track(), delivered=True, note=_DELIVERED),
    "alone": WireRow(
        name="Decide, one call alone",
        asked=decide("flag_0"),
        alone=True,
        share=0.25,
        note="one connection, one in flight; the bound of §9 is the native transport's",
    ),
}
