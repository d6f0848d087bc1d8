"""A bad datafile never takes decisions away: the last good one stays, and everybody can see why."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from tests.e2e.scene import Scene, decide, shop, status

MIB = 2**20


def without_revision() -> bytes:
    datafile = shop()
    del datafile["revision"]
    return json.dumps(datafile).encode()


BAD: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "not JSON": (b"<html>gateway timeout</html>", ("wanted",)),
    "JSON of the wrong shape": (b'["a", "list"]', ("wanted",)),
    "flags of the wrong shape": (json.dumps({**shop(), "featureFlags": "none"}).encode(), ("featureFlags", "wanted")),
    "0 bytes": (b"", ("empty",)),
    "truncated": (json.dumps(shop()).encode()[:4000], ("wanted",)),
    "60 MB": (json.dumps({**shop(), "padding": "x" * (60 * MIB)}).encode(), ("wanted",)),
    "unknown version": (json.dumps({**shop(), "version": "5"}).encode(), ("version", "`5`", "wanted")),
    "no revision": (without_revision(), ("revision", "wanted")),
}


async def wait_for_status(channel: aio.Channel, holds: Callable[[Any], bool]) -> Any:
    """The first status for which something holds."""
    async with asyncio.timeout(10):
        while not holds(told := await status(channel)):
            await asyncio.sleep(0.02)
    return told


@pytest.mark.parametrize("kind", BAD)
async def test_decisions_go_on_with_the_last_good_datafile_and_the_reason_is_told(scene: Scene, kind: str) -> None:
    body, words = BAD[kind]
    daemon = await scene.start_beside()
    async with scene.channel() as channel:
        good = await decide(channel, "user-3", decision_id="same")
        scene.publish(body)
        told = await wait_for_status(channel, lambda one: one.stale)
        assert told.revision == "41"
        assert await decide(channel, "user-3", decision_id="same") == good
        message = told.last_error.message
        assert all(word in message for word in (*words, "kept revision `41`")), message
        assert [one for one in daemon.events if one["level"] in ("warning", "error")], "the log says it too"

        scene.publish(shop("43"))
        await wait_for_status(channel, lambda one: one.revision == "43" and not one.stale)


async def test_one_broken_flag_is_disabled_alone_and_named(scene: Scene) -> None:
    def break_one(datafile: dict[str, Any]) -> None:
        datafile["featureFlags"][1]["variables"] = "none"

    await scene.start_beside()
    async with scene.channel() as channel:
        scene.publish(shop("42", break_one))
        told = await wait_for_status(channel, lambda one: one.revision == "42")
        broken = shop()["featureFlags"][1]["key"]
        answers = {one.flag_key: one.reason for one in (await decide(channel, "user-3")).decisions}
        assert [key for key, reason in answers.items() if reason == 5] == [broken]
        assert any("featureFlags[1]" in warning.path for warning in told.warnings)


async def test_of_two_flags_with_one_key_the_last_wins_with_a_warning(scene: Scene) -> None:
    def repeat(datafile: dict[str, Any]) -> None:
        again = json.loads(json.dumps(datafile["featureFlags"][0]))
        again["experimentIds"], again["rolloutId"] = [], ""
        datafile["featureFlags"].append(again)

    await scene.start_beside()
    async with scene.channel() as channel:
        scene.publish(shop("42", repeat))
        told = await wait_for_status(channel, lambda one: one.revision == "42")
        key = shop()["featureFlags"][0]["key"]
        (answer,) = (await decide(channel, "user-3", key)).decisions
        assert answer.rule_key == ""
        assert any(key in warning.description for warning in told.warnings)


async def test_the_last_good_datafile_serves_a_start_whose_source_is_gone(scene: Scene) -> None:
    await scene.start_beside()
    assert await asyncio.to_thread(scene.daemon.stop) == 0
    Path(scene.mount / "..data").unlink()
    await asyncio.to_thread(scene.daemon.start)
    async with scene.channel() as channel:
        told = await status(channel)
        assert (told.revision, told.from_cache, told.stale) == ("41", True, True)
        assert (await decide(channel, "user-3", "checkout_redesign")).revision == "41"
        scene.publish(shop("44"))
        await wait_for_status(channel, lambda one: one.revision == "44" and not one.from_cache)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads what nobody may read; the source's own tests cover it")
async def test_an_unreadable_datafile_is_as_good_as_gone(scene: Scene) -> None:
    await scene.start_beside()
    async with scene.channel() as channel:
        scene.datafile.resolve().chmod(0)
        assert (await wait_for_status(channel, lambda one: one.stale)).revision == "41"
