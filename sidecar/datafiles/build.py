"""Body in, snapshot out; runs in the worker thread, which shares interpreter lock and core with the event loop.

Three things here are for the loop's sake: no step takes long but the scan of the body, the garbage collector is
kept out of a large compile, and a replaced snapshot is taken apart piece by piece. Figures:
docs/decisions/0020-datafile-reload.md.
"""

from __future__ import annotations

import gc
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sidecar.datafiles.snapshot import Snapshot
from sidecar.decision import CompiledDatafile
from sidecar.errors import DatafileRejected
from sidecar.events.model import ProjectFacts
from sidecar.limits import MIB
from sidecar.ports import DecisionCodec, EncodedFacts
from sidecar.values import Pause, content_hash, in_pieces, no_pause

SLICE_S: Final = 0.0005
RESTS_PER_WORK: Final = 3
"""A reload takes a quarter of a core, and four times as long: seconds, for the largest datafiles."""
REST_S_MAX: Final = 0.1
"""No rest is longer: what took longer than a third of this was kept from the core, and has rested by that."""
PIECES_FREED: Final = 8
"""Pieces of a replaced snapshot that are freed at a time: a tenth of a millisecond, for the largest."""
COLLECTOR_BYTES_MIN: Final = 1 * MIB
"""Bodies from this size on are compiled with the collector off and frozen out of its sight afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """How a body becomes a snapshot; the three parts are pure, thread-safe and given by `app`."""

    load: Callable[[bytes, Pause], CompiledDatafile]
    codec: DecisionCodec
    encode_facts: Callable[[ProjectFacts], EncodedFacts]

    def snapshot(self, name: str, body: bytes, now_ms: int, pause: Pause = no_pause, hashed: str = "") -> Snapshot:
        """Compile, render and pack a body; `hashed` is its `content_hash`, where that is known.

        Raises `DatafileRejected` for anything that is wrong with it.
        """
        with _collector_kept_out(len(body)):
            try:
                compiled = self.load(body, pause)
                rendered = self.codec.render(compiled, pause)
            except DatafileRejected:
                raise
            except Exception as error:  # a fault of ours must cost one reload, not the daemon
                raise DatafileRejected(
                    "",
                    f"a body that the compiler fails on ({type(error).__name__}: {error})",
                    "a valid datafile",
                ) from error
        project = project_facts(compiled)
        return Snapshot(
            name=name,
            compiled=compiled,
            rendered=rendered,
            facts=self.encode_facts(project),
            project=project,
            revision=compiled.revision,
            content_hash=hashed or content_hash(body, pause),
            loaded_ms=now_ms,
            body_bytes=len(body),
            compressed=_packed(body, pause),
        )


def project_facts(compiled: CompiledDatafile) -> ProjectFacts:
    """What events accepted under this datafile leave with."""
    return ProjectFacts(
        account_id=compiled.account_id,
        project_id=compiled.project_id,
        revision=compiled.revision,
        region=compiled.region,
        sdk_key=compiled.sdk_key,
        anonymize_ip=compiled.anonymize_ip,
        bot_filtering=compiled.bot_filtering,
        attribute_ids=compiled.attribute_ids,
        event_ids=compiled.event_ids,
    )


class Slices:
    """The `Pause` of work beside decisions: a slice of work, then a rest, so that decisions have most of the core.

    Why: the event loop gives the interpreter lock up several times a call and waits up to a switch interval each
    time to have it back; a compile that never rests is a second of that. Figures: docs/performance.md.
    """

    def __init__(self) -> None:
        self._ends_s = 0.0
        """When the slice is over; 0 = none has begun: before the first call it may wait for the worker."""

    def __call__(self) -> None:
        """Rest, if a slice is over."""
        now_s = time.perf_counter()
        if now_s < self._ends_s:
            return
        if self._ends_s:
            worked_s = SLICE_S + now_s - self._ends_s
            time.sleep(min(worked_s * RESTS_PER_WORK, REST_S_MAX))
            now_s = time.perf_counter()
        self._ends_s = now_s + SLICE_S


def take_apart(retired: list[Snapshot], pause: Pause = no_pause) -> None:
    """Free replaced snapshots piece by piece; the list is emptied, and the caller keeps no other reference.

    Why: freeing a large tree in one go is one step for the interpreter, which holds its lock, and thereby the
    event loop, for as long as it takes. A snapshot that a call still reads is freed by that call.
    """
    while retired:
        for pieces in _pieces(retired.pop(), pause):
            while pieces:
                del pieces[-PIECES_FREED:]
                pause()


def _pieces(snapshot: Snapshot, pause: Pause) -> list[list[object]]:
    """What a snapshot is made of, so that each piece is small once the snapshot itself is gone."""
    compiled, source = snapshot.compiled, snapshot.compiled.source
    tables: list[list[object]] = []
    # Why a list of each: it is taken in one step; a call that still reads the snapshot may add a decision to it.
    tables.append(list(snapshot.rendered.items()))
    for table in (compiled.flags, compiled.experiments, compiled.deliveries):
        pause()
        tables.append(list(table.values()))
    for entities in (source.flags, source.experiments, source.rollouts, source.audiences):
        pause()
        tables.append(list(entities.values()))
    return tables


def _packed(body: bytes, pause: Pause) -> bytes:
    packing = zlib.compressobj(1)
    packed = [packing.compress(piece) for piece in in_pieces(body, pause)]
    return b"".join([*packed, packing.flush()])


@contextmanager
def _collector_kept_out(body_bytes: int) -> Iterator[None]:
    """Build without collections, then freeze what is there; for large bodies only, by one thread at a time.

    Why freeze: the first collection afterwards, on whichever thread, would walk all that was just made.
    Snapshots are trees, freed by their last reference, so that the collector is never needed for them.
    """
    if body_bytes < COLLECTOR_BYTES_MIN or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
