"""A large datafile beside a busy loop: how long the loop is kept waiting, and what stays behind."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from pathlib import Path
from typing import Any

from sidecar.datafiles import NamedSource
from tests.datafiles.conftest import MemorySource, Serve

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
