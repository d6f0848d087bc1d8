"""wait_ready: true when a first decision will succeed, false when time is over, an error when waiting is no help."""

from __future__ import annotations

import threading

import pytest

from clients.python.tests.scripted import Listening
from sidecar_client import AccessDenied, ClientClosed, aio, connect
from sidecar_client._state import Readiness
from sidecar_client.settings import Settings
from sidecar_client.status import DatafileStatus
from sidecar_client.testing import FakeSidecar


def status(name: str, revision: str) -> DatafileStatus:
    return DatafileStatus(
        name=name,
        revision=revision,
        source="",
        loaded_time=None,
        checked_time=None,
        stale=False,
        from_cache=False,
        last_error="",
        warnings=(),
    )


@pytest.mark.parametrize(
    ("name", "revision", "ready"), [("default", "41", True), ("default", "", False), ("", "", True)]
)
def test_ready_is_a_datafile_in_force_or_none_configured(name: str, revision: str, *, ready: bool) -> None:
    assert Readiness(Settings(), 1.0, 0.0).ready(status(name, revision)) is ready


def test_a_sidecar_that_comes_later_is_waited_for(listening: Listening) -> None:
    listening.stop()
    starter = threading.Timer(0.3, listening.start)
    starter.start()
    with connect(listening.address) as client:
        assert client.wait_ready(15.0)
    starter.join()


def test_time_runs_out() -> None:
    with connect("127.0.0.1:9") as client:
        assert not client.wait_ready(0.2)


async def test_time_runs_out_for_asyncio_too() -> None:
    async with aio.connect("127.0.0.1:9") as client:
        assert not await client.wait_ready(0.2)


def test_what_waiting_does_not_mend_raises() -> None:
    fake = FakeSidecar()
    fake.fail("UNAUTHENTICATED", reason="UNAUTHENTICATED")
    with fake.client() as client, pytest.raises(AccessDenied):
        client.wait_ready(5.0)


def test_a_closed_client_does_not_wait() -> None:
    fake = FakeSidecar()
    client = fake.client()
    client.close()
    with pytest.raises(ClientClosed):
        client.wait_ready(5.0)


@pytest.mark.parametrize("bound", [-1.0, float("nan"), float("inf")])
def test_a_bound_is_a_number_of_seconds(bound: float) -> None:
    with FakeSidecar().client() as client, pytest.raises(ValueError, match="timeout_s"):
        client.wait_ready(bound)
