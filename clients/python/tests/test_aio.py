"""The client for asyncio: it does over a real connection what the blocking one does, by the same methods."""

from __future__ import annotations

import asyncio
import inspect
from decimal import Decimal

import grpc
import pytest

from clients.python.tests.scripted import Listening, ScriptedSidecar
from sidecar_client import Client, Decision, Money, NotReady, Reason, User, aio, client
from sidecar_client._async_user import AsyncUser
from sidecar_client.aio import AsyncClient


def described(owner: type) -> dict[str, tuple[str, str | None]]:
    """Public methods by name, with parameters and documentation."""
    methods = inspect.getmembers(owner, inspect.isfunction)
    public = {name: method for name, method in methods if not name.startswith("_")}
    return {
        name: (
            ",".join(map(str, inspect.signature(method).parameters.values())).replace("AsyncUser", "User"),
            method.__doc__,
        )
        for name, method in public.items()
    }


@pytest.mark.parametrize(("blocking", "awaited"), [(Client, AsyncClient), (User, AsyncUser)])
def test_twins_have_the_same_methods(blocking: type, awaited: type) -> None:
    assert described(blocking) == described(awaited)


def test_twins_connect_with_the_same_options() -> None:
    assert inspect.signature(client.connect).parameters == inspect.signature(aio.connect).parameters


async def test_decides_and_tracks(listening: Listening) -> None:
    async with aio.connect(listening.address) as client:
        user = client.user("u1", {"age": 42})
        decision = await user.decide("checkout")
        accepted = await user.track("purchase", revenue=Money(Decimal("5.00"), "USD"))
        all_flags = await user.decide_all()
    assert (decision.variation_key, decision.variables.integer("age")) == ("on", 42)
    assert accepted.event_id == listening.script.requests["Track"][0].event_id
    assert list(all_flags) == ["first", "second"]


async def test_works_over_a_unix_socket(on_socket: Listening) -> None:
    async with aio.connect(on_socket.address) as client:
        assert (await client.user("u1").decide("a")).variation_key == "on"


async def test_many_calls_share_the_channel(listening: Listening) -> None:
    async with aio.connect(listening.address) as client:
        users = [client.user(f"u{n}", {"n": n}) for n in range(50)]
        decisions = await asyncio.gather(*(user.decide("a", timeout_s=5) for user in users))
    assert [decision.variables.integer("n") for decision in decisions] == list(range(50))


async def test_failed_decide_answers_the_default(listening: Listening) -> None:
    listening.script.fail(grpc.StatusCode.INTERNAL)
    async with aio.connect(listening.address) as client:
        decision = await client.user("u1").decide("a", default=Decision.default("a", enabled=True))
        assert (decision.enabled, decision.reason) == (True, Reason.SIDECAR_UNAVAILABLE)
        assert client.counters.decisions_defaulted == 1


async def test_failed_event_raises(listening: Listening) -> None:
    listening.script.fail(grpc.StatusCode.FAILED_PRECONDITION)
    async with aio.connect(listening.address) as client:
        with pytest.raises(NotReady):
            await client.user("u1").track("purchase")


async def test_retry_sends_the_same_event_id(listening: Listening) -> None:
    listening.script.fail(grpc.StatusCode.UNAVAILABLE, times=2)
    async with aio.connect(listening.address) as client:
        await client.user("u1").track("purchase", timeout_s=5)
    requests = listening.script.requests["Track"]
    assert (len(requests), len({request.event_id for request in requests})) == (3, 1)


async def test_the_other_calls_answer(listening: Listening) -> None:
    async with aio.connect(listening.address) as client:
        user = client.user("u1")
        for call in (
            user.identify({"a": 1}),
            user.page("p"),
            user.screen("s"),
            user.group("g"),
            user.alias("a"),
        ):
            assert (await call).event_id
        assert list(await user.decide_for_keys(["b", "a"])) == ["b", "a"]
        assert (await client.flush()).complete
        assert (await client.status()).revision == "41"


async def test_cancelled_call_is_cancelled_in_the_sidecar(listening: Listening) -> None:
    sidecar: ScriptedSidecar = listening.script
    sidecar.hold.clear()
    async with aio.connect(listening.address) as client:
        call = asyncio.create_task(client.user("u1").decide("a", timeout_s=5))
        await asyncio.to_thread(sidecar.entered.wait, 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    sidecar.hold.set()


async def test_watch_tells_changes_until_closed(listening: Listening) -> None:
    listening.script.changes.put("41")
    client = aio.connect(listening.address)
    seen = []
    async for change in client.watch():
        seen.append(change.revision)
        await client.close()
    assert seen == ["41"]


async def test_closed_client_answers_the_default(listening: Listening) -> None:
    client = aio.connect(listening.address)
    user = client.user("u1")
    await user.decide("a")
    await client.close()
    await client.close()
    assert (await user.decide("a")).reason is Reason.SIDECAR_UNAVAILABLE


async def test_closing_ends_a_call_in_flight_with_the_default(listening: Listening) -> None:
    listening.script.hold.clear()
    client = aio.connect(listening.address)
    call = asyncio.create_task(client.user("u1").decide("a", timeout_s=5))
    await asyncio.to_thread(listening.script.entered.wait, 5)
    await client.close()
    assert "CLIENT_CLOSED" in (await call).reasons[0]
    listening.script.hold.set()
