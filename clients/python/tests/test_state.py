"""Flush, status and watch over a real connection."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import grpc
import pytest

from clients.python.tests.scripted import Listening, ScriptedSidecar
from sidecar_client import DatafileWarning, RequestRefused, SidecarFault, connect


def test_flush_says_what_is_left(listening: Listening) -> None:
    listening.script.flush.remainders.add(destination="console")
    listening.script.flush.remainders.add(destination="shop", events=3, pause_reason="401")
    with connect(listening.address) as client:
        flushed = client.flush(timeout_s=0.5)
    assert [(each.destination, each.events, each.pause_reason) for each in flushed.remainders] == [
        ("console", 0, ""),
        ("shop", 3, "401"),
    ]
    assert not flushed.complete
    assert listening.script.requests["Flush"][0].timeout.ToMilliseconds() == 500


def test_flush_with_nothing_left_is_complete(listening: Listening) -> None:
    with connect(listening.address) as client:
        assert client.flush().complete


@pytest.mark.parametrize("timeout_s", [-1.0, float("inf"), float("nan")])
def test_flush_refuses_a_timeout_that_is_none(timeout_s: float) -> None:
    with connect() as client, pytest.raises(ValueError, match="wanted a finite number"):
        client.flush(timeout_s)


def test_status_tells_the_datafile_and_its_age(listening: Listening) -> None:
    with connect(listening.address, datafile="shop") as client:
        status = client.status()
    assert (status.name, status.revision, status.source) == ("default", "41", "file:/shop.json")
    assert status.loaded_time == datetime.fromtimestamp(1_700_000_000, UTC)
    assert (status.checked_time, status.stale, status.last_error) == (None, True, "no such file")
    assert status.warnings == (DatafileWarning("featureFlags[0]", "odd", "odd"),)
    assert listening.script.requests["GetStatus"][0].datafile == "shop"


def test_watch_tells_the_current_revision_and_each_change(listening: Listening) -> None:
    for revision in ("41", "42"):
        listening.script.changes.put(revision)
    with connect(listening.address) as client:
        changes = client.watch()
        assert [next(changes).revision, next(changes).revision] == ["41", "42"]


def test_watch_outlives_a_restart_and_repeats_nothing(listening: Listening) -> None:
    with connect(listening.address) as client:
        changes = client.watch()
        listening.script.changes.put("41")
        assert next(changes).revision == "41"
        listening.stop()
        while not listening.script.changes.empty():
            listening.script.changes.get()
        listening.start()
        for revision in ("41", "42"):
            listening.script.changes.put(revision)
        assert next(changes).revision == "42"


def test_watch_ends_when_the_client_is_closed(listening: Listening) -> None:
    client = connect(listening.address)
    seen: list[str] = []
    first = threading.Event()

    def read() -> None:
        for change in client.watch():
            seen.append(change.revision)
            first.set()

    reader = threading.Thread(target=read)
    reader.start()
    listening.script.changes.put("41")
    assert first.wait(5)
    client.close()
    reader.join(5)
    assert not reader.is_alive()
    assert seen == ["41"]


def test_watch_raises_what_waiting_will_not_mend(listening: Listening) -> None:
    listening.script.fail(grpc.StatusCode.NOT_FOUND)
    with connect(listening.address) as client, pytest.raises(RequestRefused, match="Watch"):
        next(client.watch())


def test_reply_of_another_kind_is_a_fault(sidecar: ScriptedSidecar, listening: Listening) -> None:
    sidecar.fail(grpc.StatusCode.DATA_LOSS)
    with connect(listening.address) as client, pytest.raises(SidecarFault):
        client.status()
