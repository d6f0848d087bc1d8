"""The rows of the wire: calls to a whole sidecar on each transport, beside bare echoes of the same bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench import h2load
from bench.comparison import Plan, Taken, compare, judged
from bench.daemon import Configured, collector, nobody
from bench.h2load import Shape
from bench.requests import Asked, decide, track
from bench.scale import Scale
from bench.servers import AIO_ECHO, ECHOES, GO_ECHO, GRPCIO, NATIVE, Place, Server, Unavailable, place, sidecar
from bench.table import Beside, Row


@dataclass(frozen=True, slots=True)
class Against:
    """One of our wires and what it is held against; `bound` None shows and does not bind."""

    ours: str
    yardstick: str
    bound: float | None = None


def against(
    *, native_go: float | None = None, native_aio: float | None = None, grpcio_aio: float | None = None
) -> Sequence[Against]:
    """The native wire against both echoes, the other one against its own."""
    return (
        Against(NATIVE, GO_ECHO, native_go),
        Against(NATIVE, AIO_ECHO, native_aio),
        Against(GRPCIO, AIO_ECHO, grpcio_aio),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRow:
    """One load as data. Bounds are of the CPU ratio; of the median time of a call, at most, when it is called `alone`.

    With `delivered` its events are delivered to a collector while the calls go on, and the round ends when all are.
    `streams` calls are in flight on each of four connections, one on one when `alone`.
    """

    name: str
    asked: Asked
    pairs: Sequence[Against] = against()
    durability: str = "process"
    delivered: bool = False
    alone: bool = False
    unix: bool = False
    streams: int = 16
    share: float = 1.0
    note: str = ""

    def measure(self, scale: Scale) -> Iterator[Row]:
        """Start the servers and load them in turns. Skips itself where h2load is missing, and who cannot run here."""
        wires, reason = scale.wires(), h2load.missing()
        pairs = [pair for pair in self.pairs if pair.ours in wires]
        missing = dict.fromkeys((one for pair in pairs for one in (pair.ours, pair.yardstick)), reason)
        taken: Mapping[str, Taken] = {}
        if not reason:
            missing |= wires
            taken = self._taken(scale, pairs, missing)
        servers = [self._beside(one) for one in taken.values()]
        for pair in pairs:
            if why := missing.get(pair.ours) or missing.get(pair.yardstick):
                yield Row(name=self._named(pair), bound=pair.bound, at_most=self.alone, skipped=why)
            else:
                yield self._row(pair, taken, servers)
            servers = []

    def _taken(self, scale: Scale, pairs: Sequence[Against], missing: dict[str, str]) -> Mapping[str, Taken]:
        """Whoever cannot be started is named in `missing`."""
        streams, connections = (1, 1) if self.alone else (self.streams, 4)
        shape = Shape(calls=max(1, round(scale.calls * self.share)), connections=connections, streams=streams)
        plan = Plan(asked=self.asked, shape=shape, rounds=scale.rounds, cores=scale.cores, delivered=self.delivered)
        with place(scale.cores, unix=self.unix) as where, contextlib.ExitStack() as stack:
            wires = [wire for wire in dict.fromkeys(pair.ours for pair in pairs) if not missing[wire]]
            ours = [self._sidecar(wire, where, stack) for wire in wires]
            sizes = {len(judged(one.daemon, self.asked)) for one in ours if one.daemon is not None}
            if not ours:
                return {}
            if len(sizes) > 1:
                raise RuntimeError(f"the wires answer {sizes} bytes, wanted one size")
            echoes = []
            for name in dict.fromkeys(pair.yardstick for pair in pairs):
                try:
                    echoes.append(stack.enter_context(ECHOES[name](where, self.asked, min(sizes))))
                except Unavailable as absent:
                    missing[name] = str(absent)
            return compare([*echoes, *ours], plan)

    def _sidecar(self, wire: str, where: Place, stack: contextlib.ExitStack) -> Server:
        directory = where.directory / f"{wire}-destination"
        directory.mkdir()
        endpoint = stack.enter_context(collector(where.cores, directory) if self.delivered else nobody())

        def configured(transport: str, listen: str) -> Configured:
            return Configured(endpoint=endpoint, durability=self.durability, transport=transport, listen=listen)

        return stack.enter_context(sidecar(where, wire, configured))

    def _named(self, pair: Against) -> str:
        return f"{self.name}, {pair.ours}"

    def _row(self, pair: Against, taken: Mapping[str, Taken], servers: Sequence[Beside]) -> Row:
        ours, yardstick = taken[pair.ours], taken[pair.yardstick]
        if self.alone:
            words = [f"{one.median_us:.0f} µs median" for one in (ours, yardstick)]
            figure = ours.median_us / yardstick.median_us
        else:
            words = [one.words() for one in (ours, yardstick)]
            figure = yardstick.cpu_us / ours.cpu_us
        noise = f"{len(ours.rounds)} rounds, CPU spread {ours.spread:.0%} (yardstick {yardstick.spread:.0%})"
        return Row(
            name=self._named(pair),
            ours=words[0],
            yardstick=words[1],
            figure=figure,
            bound=pair.bound,
            at_most=self.alone,
            note="; ".join(part for part in (f"yardstick: {pair.yardstick}", self.note, noise) if part),
            servers=servers,
        )

    def _beside(self, one: Taken) -> Beside:
        return Beside(
            load=self.name,
            server=one.name,
            cpu_us=one.cpu_us,
            rate=one.rate,
            median_us=one.median_us,
            p99_us=one.p99_us,
            memory_mib=one.memory_mib,
            spread=one.spread,
        )


_DELIVERED: Final = "the whole price of an event: accepted, written, read, rendered, sent to a collector, settled"
_OWN_IDS: Final = "each call gets an event_id of its own from the server, since h2load repeats one body"
_ONE: Final = decide("flag_0")

WIRE_ROWS: Final[Mapping[str, WireRow]] = {
    "decide-one": WireRow(
        name="Decide, one flag, written",
        asked=_ONE,
        pairs=against(native_go=0.95, native_aio=8.0, grpcio_aio=0.7),
        note="64 in flight; goal 1.2 of grpc-go",
    ),
    "decide-all": WireRow(
        name="Decide, 20 flags, written",
        asked=decide(),
        pairs=against(native_go=0.25, grpcio_aio=0.6),
        note="64 in flight; goal 0.4 of grpc-go",
    ),
    "track": WireRow(
        name="Track, after the write (process)",
        asked=track(),
        pairs=against(native_go=0.6, grpcio_aio=0.5),
        streams=10,
        note=f"40 in flight; {_OWN_IDS}",
    ),
    "decide-one-unix": WireRow(name="Decide, one flag, Unix socket", asked=_ONE, unix=True),
    "decide-all-unix": WireRow(name="Decide, 20 flags, Unix socket", asked=decide(), unix=True),
    "track-unix": WireRow(name="Track, Unix socket", asked=track(), unix=True, streams=10),
    "track-power": WireRow(
        name="Track, after the fsync (power)",
        asked=track(),
        durability="power",
        streams=10,
        share=0.25,
        note="40 in flight; its rate is the disk's",
    ),
    "decide-delivered": WireRow(name="Decide, one flag, delivery running", asked=_ONE, delivered=True, note=_DELIVERED),
    "track-delivered": WireRow(
        name="Track, delivery running", asked=track(), delivered=True, streams=10, note=_DELIVERED
    ),
    "alone": WireRow(
        name="Decide, one call alone",
        asked=_ONE,
        pairs=against(native_go=1.1),
        alone=True,
        share=0.25,
        note="median time of a call; one connection, one in flight",
    ),
    "alone-unix": WireRow(name="Decide, alone, Unix socket", asked=_ONE, alone=True, unix=True, share=0.25),
}
