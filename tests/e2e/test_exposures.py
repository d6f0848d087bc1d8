"""Remembered exposures through the daemon: what Track answers, what is counted, and what a restart keeps."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any

import pytest

from sidecar.pb import decision_pb2, tracking_pb2
from tests.support.daemon import Daemon
from tests.support.served import DECIDE, OPTIMIZELY, SHOP, TRACK, Served, decide_request, serving, track_request

EXPOSED = {"user_id": "qa-anna", "flag_keys": ["checkout_redesign"]}
"""A Decide that makes an impression of `checkout_redesign_test`, which `purchase` and `add_to_cart` measure."""
REMEMBERING = {"exposures": {"remember": True, "bytes_max": 65_536}}


async def seen(served: Served, user_id: str, event_key: str = "purchase") -> bool:
    return (await served.track(user_id=user_id, event_key=event_key)).exposure_seen_here


async def exposition(served: Served) -> str:
    return (await served.parts.metrics.render()).decode()


async def test_a_track_says_whether_its_user_s_exposure_was_seen(tmp_path: Path) -> None:
    async with serving(tmp_path, REMEMBERING) as served:
        assert not await seen(served, "qa-anna")
        await served.decide(**EXPOSED)
        assert await seen(served, "qa-anna")
        assert await seen(served, "qa-anna", "add_to_cart")
        assert not await seen(served, "qa-anna", "sign_up"), "which measures other experiments"
        assert not await seen(served, "qa-anna", "nope"), "which the datafile does not have"
        assert not await seen(served, "bob")
        text = await exposition(served)
    assert 'sidecar_conversions_total{exposure="seen"} 2.0' in text
    assert 'sidecar_conversions_total{exposure="not_seen"} 3.0' in text
    assert "sidecar_exposures_recorded_total 1.0" in text


async def test_an_anonymous_conversion_is_looked_up_by_its_anonymous_id(tmp_path: Path) -> None:
    async with serving(tmp_path, REMEMBERING) as served:
        await served.decide(**EXPOSED)
        assert (await served.track(user_id="", anonymous_id="qa-anna")).exposure_seen_here


async def test_a_decision_without_an_impression_is_no_exposure(tmp_path: Path) -> None:
    async with serving(tmp_path, REMEMBERING) as served:
        await served.decide(**EXPOSED, options=["DECIDE_OPTION_DISABLE_DECISION_EVENT"])
        assert not await seen(served, "qa-anna")


async def test_a_delivery_rule_is_no_exposure(tmp_path: Path) -> None:
    async with serving(tmp_path, REMEMBERING) as served:
        await served.decide(user_id="u", flag_keys=["search_ranking", "free_shipping"])
        assert "sidecar_exposures_recorded_total 0.0" in await exposition(served)


async def test_a_repeat_is_answered_and_not_counted_again(tmp_path: Path) -> None:
    async with serving(tmp_path, REMEMBERING) as served:
        await served.decide(**EXPOSED)
        replies = [await served.track(user_id="qa-anna", event_id="e-1") for _ in range(3)]
        assert [reply.exposure_seen_here for reply in replies] == [True, True, True]
        assert 'sidecar_conversions_total{exposure="seen"} 1.0' in await exposition(served)


@pytest.mark.parametrize("on", [True, False])
async def test_an_unseen_exposure_changes_nothing_else_of_a_track(tmp_path: Path, on: bool) -> None:
    async with serving(tmp_path, {"exposures": {"remember": on}}) as served:
        reply = await served.track(user_id="bob")
        assert [(one.destination, one.reason) for one in reply.outcomes] == [("optimizely", ""), ("hook", "")]
        assert len(await served.events()) == 1


async def test_nothing_is_remembered_unless_switched_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.decide(**EXPOSED)
        assert not await seen(served, "qa-anna")
        text = await exposition(served)
    assert "sidecar_conversions" not in text
    assert "sidecar_exposures" not in text
    assert not (tmp_path / "data" / "exposures.sketch").exists()


def test_exposures_survive_a_restart_of_the_daemon_and_a_damaged_file_does_not_stop_it(tmp_path: Path) -> None:
    configuration: dict[str, Any] = {
        "datafile": str(SHOP),
        "destinations": [dict(OPTIMIZELY)],
        "drain": 0,
        **REMEMBERING,
    }

    def seen_now(daemon: Daemon) -> bool:
        reply = daemon.call(TRACK, track_request(user_id="qa-anna"), tracking_pb2.TrackResponse)
        return bool(reply.exposure_seen_here)

    with Daemon(tmp_path, configuration) as daemon:
        daemon.start()
        daemon.call(DECIDE, decide_request(**EXPOSED), decision_pb2.DecideResponse)
        assert seen_now(daemon)
        assert daemon.stop() == 0
        daemon.start()
        assert seen_now(daemon)
        with urllib.request.urlopen(f"http://{daemon.http}/metrics", timeout=5) as page:
            assert 'sidecar_conversions_total{exposure="seen"} 1.0' in page.read().decode()
        daemon.kill()
        file = daemon.data_dir / "exposures.sketch"
        file.write_bytes(file.read_bytes()[:-1])
        daemon.start()
        assert not seen_now(daemon)
        assert [one["kept_as"] for one in daemon.logged("exposures_damaged")] == [f"{file}.damaged"]
        assert daemon.stop() == 0
