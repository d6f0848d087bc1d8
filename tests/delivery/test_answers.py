"""The table of answers, row by row, against a real HTTP server."""

from __future__ import annotations

import time

import pytest
from structlog.testing import capture_logs

from tests.collector import Answered, Collector, Fault
from tests.delivery.world import a_world, ids, tracks


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 206, 299])
async def test_2xx_delivers(collector: Collector, status: int) -> None:
    collector.answers(status)
    async with a_world(collector) as world:
        await world.accept(*tracks(3))
        await world.settled()
        assert world.delivery.statuses["hook"].events_delivered == 3
        assert not await world.dead()
    assert ids(collector.received) == ["e0", "e1", "e2"]


@pytest.mark.parametrize("status", [408, 410, 429, 460, 500, 502, 503, 504, 506, 507, 508, 511, 529, 599])
async def test_a_passing_fault_is_retried(collector: Collector, status: int) -> None:
    collector.answers(status, status)
    async with a_world(collector) as world:
        await world.accept(*tracks(1))
        await world.settled()
        told = world.delivery.statuses["hook"]
        assert (told.attempts, told.retries, told.failures) == (3, 2, 0)
        assert told.last_error_status == status
        assert not await world.dead()


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.RESET, Fault.LOSE])
async def test_a_network_fault_is_retried(collector: Collector, fault: Fault) -> None:
    collector.answers(Answered(fault=fault))
    async with a_world(collector) as world:
        await world.accept(*tracks(1))
        await world.settled()
        assert not await world.dead()
    assert collector.attempts == 2
    # An answer that was lost means the event arrives twice, under one id: at least once.
    assert ids(collector.taken) == ["e0"] * (2 if fault is Fault.LOSE else 1)


async def test_a_timeout_is_retried(collector: Collector) -> None:
    collector.answers(Answered(delay_s=0.5))
    async with a_world(collector, timeout_s=0.1) as world:
        await world.accept(*tracks(1))
        await world.settled()
        assert "within 0.1 s" in world.delivery.statuses["hook"].last_error


async def test_a_2xx_whose_body_breaks_off_is_delivered(collector: Collector) -> None:
    collector.answers(Answered(status=202, fault=Fault.TORN))
    async with a_world(collector) as world:
        await world.accept(*tracks(1))
        await world.settled()
    assert collector.attempts == 1


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308, 399, 401, 403, 404])
async def test_a_fault_of_the_address_pauses_and_the_probe_resumes(collector: Collector, status: int) -> None:
    collector.answers(*[Answered(status, headers={"Location": f"{collector.url}/elsewhere"})] * 3)
    with capture_logs() as logs:
        async with a_world(collector) as world:
            await world.accept(*tracks(2))
            await collector.wait_for(1)
            began_s = time.monotonic()
            await world.settled()
            told = world.delivery.statuses["hook"]
            assert (told.paused, told.attempts) == (False, 4)
            assert not await world.dead()
    assert time.monotonic() - began_s >= 0.1, "three probe intervals but for the first request"
    assert {request.path for request in collector.received} == {"/hook"}, "redirects are never followed"
    said = [line["event"] for line in logs]
    assert said == ["destination_paused", "destination_resumed"], "one line a change, however many probes"


@pytest.mark.parametrize(
    "status", [400, 402, 405, 406, 409, 411, 412, 413, 414, 415, 422, 424, 431, 451, 461, 499, 501, 505, 600]
)
async def test_a_refusal_of_one_event_is_a_dead_letter(collector: Collector, status: int) -> None:
    collector.answers(Answered(status, body="no such field"))
    async with a_world(collector) as world:
        await world.accept(*tracks(1))
        await world.settled()
        [dead] = await world.dead()
        assert (dead.reason, dead.status) == ("REFUSED", status)
        assert "no such field" in dead.detail
    assert collector.attempts == 1


@pytest.mark.parametrize("status", [408, 410, 429, 460, 500, 503])
async def test_retry_after_is_honoured(collector: Collector, status: int) -> None:
    collector.answers(Answered(status, headers={"Retry-After": "1"}))
    async with a_world(collector) as world:
        await world.accept(*tracks(1))
        await collector.wait_for(1)
        began_s = time.monotonic()
        await world.settled()
    assert 0.95 <= time.monotonic() - began_s < 1.5


async def test_retry_after_is_honoured_while_paused_too(collector: Collector) -> None:
    collector.answers(401, Answered(429, headers={"Retry-After": "1"}))
    async with a_world(collector) as world:
        await world.accept(*tracks(1))
        await collector.wait_for(2)
        began_s = time.monotonic()
        await world.settled()
    assert time.monotonic() - began_s >= 0.9, "and not after the next probe interval, 0.05 s"
