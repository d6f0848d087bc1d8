"""Variations set by API: who sees them, how many there may be, and what a store keeps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from sidecar.errors import ProfilesUnavailable
from sidecar.forced import ForcedVariations
from sidecar.pb import classic_pb2
from sidecar.ports import ForcedVariation
from sidecar.profiles.file import ProfileFile
from sidecar.profiles.sqlite import SqliteForcedVariations
from tests.support.served import SHOP, serving

CLASSIC = "/sidecar.v1.ClassicService/"
FORCED_KEY: str = next(
    one["variations"][-1]["key"]
    for one in json.loads(SHOP.read_text())["experiments"]
    if one["key"] == "search_ranking_test"
)


class BreakableStore:
    """Keeps what is written, unless it is broken."""

    def __init__(self) -> None:
        self.broken = False
        self.written: list[ForcedVariation] = []

    async def load(self) -> Sequence[ForcedVariation]:
        return list(self.written)

    async def write(self, changes: Sequence[ForcedVariation]) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise ProfilesUnavailable("sqlite", "disk I/O error")
        self.written.extend(changes)


async def test_user_without_any_has_none() -> None:
    forced = ForcedVariations()
    assert forced.of("d", "u") is None
    assert forced.get("d", "u", "e") is None


async def test_variations_are_those_of_one_datafile_and_user() -> None:
    forced = ForcedVariations()
    forced.set("d", "u", "e1", "v1")
    forced.set("d", "u", "e2", "v2")
    assert forced.of("d", "u") == {"e1": "v1", "e2": "v2"}
    assert forced.get("d", "u", "e2") == "v2"
    assert forced.of("other", "u") is None
    assert forced.of("d", "w") is None


async def test_last_one_set_wins_and_removing_it_leaves_none() -> None:
    forced = ForcedVariations()
    forced.set("d", "u", "e", "v1")
    forced.set("d", "u", "e", "v2")
    assert (forced.get("d", "u", "e"), len(forced)) == ("v2", 1)
    forced.set("d", "u", "e", None)
    forced.set("d", "u", "never", None)
    assert (forced.of("d", "u"), len(forced)) == (None, 0)


async def test_variations_that_a_decision_holds_do_not_change_under_it() -> None:
    forced = ForcedVariations()
    forced.set("d", "u", "e", "v1")
    held = forced.of("d", "u")
    forced.set("d", "u", "e", "v2")
    assert held == {"e": "v1"}


async def test_past_the_bound_the_one_set_longest_ago_is_forgotten() -> None:
    forced = ForcedVariations(entries_max=2)
    forced.set("d", "a", "e", "v")
    forced.set("d", "b", "e", "v")
    forced.set("d", "a", "e", "w")
    forced.set("d", "c", "e", "v")
    assert [forced.get("d", user, "e") for user in "abc"] == ["w", None, "v"]
    assert (len(forced), forced.evicted) == (2, 1)


async def test_without_a_store_there_is_nothing_to_wait_for() -> None:
    forced = ForcedVariations()
    forced.set("d", "u", "e", "v")
    await forced.stored()
    assert forced.services() == ()


async def test_stored_ones_survive_a_restart_and_removed_ones_do_not_come_back(tmp_path: Path) -> None:
    file = await ProfileFile.open(tmp_path)
    forced = ForcedVariations(SqliteForcedVariations(file))
    (service,) = forced.services()
    writing = asyncio.ensure_future(service())
    forced.set("d", "u", "e1", "v1")
    forced.set("d", "u", "e2", "v2")
    await forced.stored()
    forced.set("d", "u", "e1", None)
    forced.set("d", "w", "e1", "v1")
    await forced.stored()
    writing.cancel()
    await file.close()

    again = await ProfileFile.open(tmp_path)
    loaded = ForcedVariations(SqliteForcedVariations(again))
    await loaded.load()
    assert loaded.of("d", "u") == {"e2": "v2"}
    assert loaded.of("d", "w") == {"e1": "v1"}
    await again.close()


async def test_stored_returns_once_everything_set_before_is_written() -> None:
    store = BreakableStore()
    forced = ForcedVariations(store)
    (service,) = forced.services()
    writing = asyncio.ensure_future(service())
    for number in range(100):
        forced.set("d", f"user-{number}", "e", "v")
        if number % 10 == 0:
            await asyncio.sleep(0)
    await forced.stored()
    assert len(store.written) == 100
    writing.cancel()


async def test_store_that_fails_is_tried_again_with_the_newest_change() -> None:
    store = BreakableStore()
    store.broken = True
    forced = ForcedVariations(store)
    (service,) = forced.services()
    writing = asyncio.ensure_future(service())
    forced.set("d", "u", "e", "v1")
    async with asyncio.timeout(5):
        while not forced.store_failures:
            await asyncio.sleep(0.001)
    forced.set("d", "u", "e", "v2")
    assert forced.get("d", "u", "e") == "v2"
    store.broken = False
    async with asyncio.timeout(5):
        await forced.stored()
    assert store.written == [ForcedVariation("d", "u", "e", "v2")]
    writing.cancel()


async def test_close_writes_what_no_service_wrote() -> None:
    store = BreakableStore()
    forced = ForcedVariations(store)
    forced.set("d", "u", "e", "v")
    await forced.close()
    assert store.written == [ForcedVariation("d", "u", "e", "v")]


async def test_bound_made_smaller_is_kept_at_load_and_in_the_store() -> None:
    store = BreakableStore()
    store.written = [ForcedVariation("d", user, "e", "v") for user in "abc"]
    forced = ForcedVariations(store, entries_max=1)
    await forced.load()
    await forced.close()
    assert forced.of("d", "c") == {"e": "v"}
    assert store.written[3:] == [ForcedVariation("d", user, "e", None) for user in "ab"]


@pytest.mark.parametrize("user_id", ["", "Zoë", "nul\0byte"])
async def test_any_user_id_is_stored_as_it_is(tmp_path: Path, user_id: str) -> None:
    file = await ProfileFile.open(tmp_path)
    forced = ForcedVariations(SqliteForcedVariations(file))
    forced.set("d", user_id, "e", "v")
    await forced.close()
    loaded = ForcedVariations(SqliteForcedVariations(file))
    await loaded.load()
    assert loaded.of("d", user_id) == {"e": "v"}
    await file.close()


@pytest.mark.parametrize("stored", [True, False])
async def test_set_through_the_server_is_there_after_a_restart_only_when_stored(
    tmp_path: Path, *, stored: bool
) -> None:
    configuration = {"forced_variations": {"stored": stored}}
    async with serving(tmp_path, configuration) as served:
        place = {"user_id": "u", "experiment_key": "search_ranking_test"}
        request = classic_pb2.SetForcedVariationRequest(**place, variation_key=FORCED_KEY)
        await served.call(CLASSIC + "SetForcedVariation", request, classic_pb2.SetForcedVariationResponse)
    async with serving(tmp_path, configuration) as served:
        asked = classic_pb2.GetForcedVariationRequest(**place)
        reply = await served.call(CLASSIC + "GetForcedVariation", asked, classic_pb2.GetForcedVariationResponse)
        assert reply.variation_key == (FORCED_KEY if stored else "")
