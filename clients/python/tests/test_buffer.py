"""The buffer of events: kept while no sidecar answers, in order, within bounds, sent when one is back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from clients.python.tests.scripted import Listening
from sidecar_client import Accepted, Client, ClientClosed, RequestRefused, Unavailable, aio, connect
from sidecar_client._buffer import Buffer
from sidecar_client._calls import Call, Counters
from sidecar_client._replies import accepted
from sidecar_client.settings import EVENT_RETRY, Settings
from sidecar_client.testing import FakeSidecar

WAIT_S = 10.0


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        threading.Event().wait(0.01)


def names(fake: FakeSidecar) -> list[str]:
    return [event.name for event in fake.events]


def buffering(fake: FakeSidecar, events_max: int = 10) -> Client:
    return fake.client(buffer_events_max=events_max, event_timeout_s=0.05)


def test_events_are_kept_while_the_sidecar_is_gone_and_sent_in_order_when_it_is_back() -> None:
    fake = FakeSidecar()
    with buffering(fake) as client:
        fake.fail()
        kept = [client.user("u1").track(name) for name in ("a", "b", "c")]
        assert all(each.buffered and each.event_id for each in kept)
        assert client.counters.events_buffered == 3
        fake.recover()
        assert client.flush(WAIT_S).complete
        assert names(fake) == ["a", "b", "c"]
        assert [event.event_id for event in fake.events] == [each.event_id for each in kept]
        assert (client.counters.events_buffered, client.counters.events_dropped) == (0, 0)


def test_an_event_is_not_buffered_when_the_sidecar_answers() -> None:
    fake = FakeSidecar()
    with buffering(fake) as client:
        assert not client.user("u1").track("a").buffered


def test_without_a_buffer_an_event_raises() -> None:
    fake = FakeSidecar()
    fake.fail()
    with fake.client(event_timeout_s=0.05) as client, pytest.raises(Unavailable):
        client.user("u1").track("a")


def test_an_event_that_no_retry_mends_raises_and_is_not_kept() -> None:
    fake = FakeSidecar()
    fake.fail("INVALID_ARGUMENT")
    with buffering(fake) as client:
        with pytest.raises(RequestRefused):
            client.user("u1").track("a")
        assert client.counters.events_buffered == 0


def test_a_later_event_waits_behind_the_buffered_and_not_for_the_sidecar() -> None:
    fake = FakeSidecar()
    with fake.client(buffer_events_max=10, event_timeout_s=0.5) as client:
        fake.fail()
        client.user("u1").track("a")
        began = time.monotonic()
        assert client.user("u1").track("b").buffered
        assert time.monotonic() - began < 0.4


def test_past_its_bound_the_oldest_is_dropped_and_counted() -> None:
    fake = FakeSidecar()
    with buffering(fake, events_max=2) as client:
        fake.fail()
        for name in ("a", "b", "c"):
            client.user("u1").track(name)
        assert (client.counters.events_buffered, client.counters.events_dropped) == (2, 1)
        fake.recover()
        client.flush(WAIT_S)
        # The oldest may have been on its way when it was dropped.
        assert names(fake)[-2:] == ["b", "c"]


def test_a_kept_event_that_is_refused_at_last_is_dropped_and_the_next_is_sent() -> None:
    fake = FakeSidecar()
    with buffering(fake) as client:
        fake.fail()
        client.user("u1").track("a")
        fake.fail("INVALID_ARGUMENT")
        wait_until(lambda: client.counters.events_dropped == 1)
        fake.recover()
        client.user("u1").track("b")
        assert names(fake) == ["b"]


def test_close_gives_the_buffer_a_moment_and_counts_what_is_left() -> None:
    fake = FakeSidecar()
    client = buffering(fake)
    fake.fail()
    client.user("u1").track("a")
    client.close()
    assert (client.counters.events_buffered, client.counters.events_dropped) == (0, 1)
    with pytest.raises(ClientClosed) as raised:
        client.user("u1").track("b", event_id="e-b")
    assert raised.value.event_id == "e-b"


def test_flush_says_what_is_still_in_the_buffer() -> None:
    fake = FakeSidecar()
    with buffering(fake) as client:
        fake.fail()
        client.user("u1").track("a")
        with pytest.raises(Unavailable):
            client.flush(0.05)


def test_bytes_bound_the_buffer_too() -> None:
    counters = Counters()
    buffer = Buffer(Settings(buffer_events_max=100, buffer_bytes_max=250), counters)
    for number in range(5):
        buffer.add(call(f"e-{number}", b"x" * 100))
    assert (len(buffer), counters.events_dropped, counters.events_buffered) == (2, 3, 2)
    buffer.add(call("too large", b"x" * 251))
    assert (len(buffer), counters.events_dropped, counters.events_buffered) == (0, 6, 0)


def call(event_id: str, request: bytes) -> Call[Accepted]:
    return Call(method="/m", request=request, timeout_s=1.0, retry=EVENT_RETRY, decode=accepted, event_id=event_id)


def test_a_real_sidecar_that_restarts_gets_what_was_kept(listening: Listening) -> None:
    with connect(listening.address, buffer_events_max=10, event_timeout_s=0.2) as client:
        listening.stop()
        kept = client.user("u1").track("purchase")
        assert kept.buffered
        listening.start()
        wait_until(lambda: client.counters.events_buffered == 0)
        [request] = listening.script.requests["Track"]
        assert request.event_id == kept.event_id


def test_an_outbox_that_is_full_is_waited_for_too(listening: Listening) -> None:
    listening.script.fail(grpc.StatusCode.RESOURCE_EXHAUSTED, times=2)
    with connect(listening.address, buffer_events_max=10) as client:
        assert client.user("u1").track("purchase").buffered
        wait_until(lambda: client.counters.events_buffered == 0)


FORKED = """
import os
from sidecar_client.testing import FakeSidecar
fake = FakeSidecar()
client = fake.client(buffer_events_max=10, event_timeout_s=0.05)
fake.fail()
client.user("u1").track("of the parent")
child = os.fork()
if child == 0:
    fake.recover()
    client.user("u1").track("of the child")
    client.flush(5.0)
    print([event.name for event in fake.events], client.counters.events_buffered, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(client.counters.events_buffered)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_what_the_parent_keeps_is_not_sent_by_a_forked_child() -> None:
    source = str(Path(__file__).parents[1] / "src")
    finished = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", FORKED],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert finished.stdout.splitlines() == ["['of the child'] 0", "1"]


async def test_the_asyncio_client_keeps_and_sends_alike() -> None:
    fake = FakeSidecar()
    async with fake.async_client(buffer_events_max=2, event_timeout_s=0.05) as client:
        fake.fail()
        for name in ("a", "b", "c"):
            assert (await client.user("u1").track(name)).buffered
        assert (client.counters.events_buffered, client.counters.events_dropped) == (2, 1)
        fake.recover()
        assert (await client.flush(WAIT_S)).complete
        assert names(fake)[-2:] == ["b", "c"]
        fake.fail()
        await client.user("u1").track("d")
    assert (client.counters.events_buffered, client.counters.events_dropped) == (0, 2)


async def test_the_asyncio_client_sends_to_a_sidecar_that_is_back(listening: Listening) -> None:
    async with aio.connect(listening.address, buffer_events_max=10, event_timeout_s=0.2) as client:
        listening.stop()
        kept = await client.user("u1").track("purchase")
        listening.start()
        await client.flush(WAIT_S)
        assert [each.event_id for each in listening.script.requests["Track"]] == [kept.event_id]
