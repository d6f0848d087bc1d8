"""A large datafile beside a busy loop: how long the loop is kept waiting, and what stays behind."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sidecar.datafiles import NamedSource, Snapshot, build
from sidecar.datafiles.build import REST_S_MAX, RESTS_PER_WORK, SLICE_S, Compiler, Slices, take_apart
from sidecar.decision import load
from sidecar.values import PIECE_BYTES, content_hash
from tests.datafiles.conftest import EmptyCodec, MemorySource, Serve, encode_facts

SMALL = Path(__file__).parent.parent / "vectors" / "datafile_20_flags.json"
RENAMED = {"id", "key", "rolloutId", "layerId"}
KEPT = {"audienceIds", "audienceConditions", "forcedVariations"}


def copy_of(entity: Any, suffix: str) -> Any:
    """The same entities under keys and ids of their own."""
    if isinstance(entity, list):
        return [copy_of(each, suffix) for each in entity]
    if not isinstance(entity, dict):
        return entity
    copied: dict[str, Any] = {}
    for name, value in entity.items():
        if name in RENAMED and value:
            copied[name] = f"{value}{suffix}"
        elif name == "experimentIds":
            copied[name] = [f"{each}{suffix}" for each in value]
        else:
            copied[name] = value if name in KEPT else copy_of(value, suffix)
    return copied


def large_body(copies: int) -> bytes:
    """The small datafile many times over: 33 KB and 20 flags a copy."""
    small = json.loads(SMALL.read_bytes())
    large = dict(small)
    for name in ("featureFlags", "experiments", "rollouts"):
        large[name] = [each for turn in range(copies) for each in copy_of(small[name], f"_{turn}")]
    return json.dumps(large).encode()


async def test_a_reload_of_ten_megabytes_keeps_no_call_waiting_for_long(serve: Serve) -> None:
    body = large_body(310)
    assert len(body) > 10_000_000
    source = MemorySource(body)
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        assert len((await datafiles.wait_first()).compiled.flags) == 6200
        await datafiles.reload()
        source.holds = body + b" "
        reload = asyncio.ensure_future(datafiles.reload())
        gaps_s, last_s = [], time.perf_counter()
        while not reload.done():
            await asyncio.sleep(0.0005)
            now_s = time.perf_counter()
            gaps_s.append(now_s - last_s)
            last_s = now_s
        assert (await reload).content_hash == datafiles.current().content_hash
    assert datafiles.stats().applied == 2
    # Measured 12 to 40 ms; compiled in one go on the loop it would be over 500.
    assert max(gaps_s) < 0.25
    assert gc.isenabled()


async def test_a_large_datafile_is_kept_small(serve: Serve) -> None:
    body = large_body(40)
    async with serve(NamedSource(name="default", source=MemorySource(body))) as datafiles:
        snapshot = await datafiles.wait_first()
        assert len(snapshot.compressed) < len(body) / 5
        assert snapshot.body() == body


def snapshot_of(body: bytes) -> Snapshot:
    compiler = Compiler(load=load, codec=EmptyCodec(), encode_facts=encode_facts)
    return compiler.snapshot("default", body, 0)


def test_a_replaced_snapshot_is_freed_in_small_steps() -> None:
    retired = [snapshot_of(large_body(20))]
    blocks = [sys.getallocatedblocks()]
    gc.disable()
    try:
        take_apart(retired, lambda: blocks.append(sys.getallocatedblocks()))
    finally:
        gc.enable()
    freed = [before - after for before, after in itertools.pairwise(blocks)]
    assert sum(freed) > 20_000
    assert max(freed) < sum(freed) / 10
    assert not retired


def test_a_reader_of_the_body_does_not_keep_the_snapshot() -> None:
    snapshot = snapshot_of(large_body(2))
    held = sys.getrefcount(snapshot)
    chunks = snapshot.body_chunks(1_000)
    first = next(chunks)
    assert sys.getrefcount(snapshot) == held
    assert first + b"".join(chunks) == snapshot.body()


def test_work_on_a_whole_body_pauses_between_pieces() -> None:
    body = large_body(20)
    pieces = -(-len(body) // PIECE_BYTES)
    pauses: list[int] = []
    assert content_hash(body, lambda: pauses.append(1)) == sha256(body).hexdigest()
    assert len(pauses) == pieces > 4


class Clock:
    """Stands in for `time`: what is slept is counted, and passes."""

    def __init__(self) -> None:
        self.now_s, self.slept = 1_000.0, list[float]()

    def perf_counter(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


def test_a_slice_of_work_is_followed_by_its_rest_and_waiting_for_the_worker_is_no_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(build, "time", clock)
    pause = Slices()
    clock.now_s += 60.0
    pause()
    assert clock.slept == []
    clock.now_s += SLICE_S / 2
    pause()
    assert clock.slept == []
    clock.now_s += SLICE_S
    pause()
    assert clock.slept == [pytest.approx(1.5 * SLICE_S * RESTS_PER_WORK)]
    clock.now_s += 5.0
    pause()
    assert clock.slept[1:] == [REST_S_MAX]
