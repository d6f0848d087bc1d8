"""`AdminService` through a running server, over the Unix socket and over TCP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from grpc import aio

from sidecar.pb import admin_pb2, event_pb2
from sidecar.ports import EncodedFacts, Record, Settled
from tests.outbox.records import cursors
from tests.support.refusals import said
from tests.support.served import WEBHOOK, Served, serving

SERVICE = "/sidecar.v1.AdminService/"
ReplyT = TypeVar("ReplyT", bound=Message)


class Operator:
    """Calls of one server's admin service over its Unix socket."""

    def __init__(self, served: Served, channel: aio.Channel) -> None:
        self.served, self._channel = served, channel

    async def ask(self, method: str, request: Message, reply: type[ReplyT], token: str = "") -> ReplyT:
        unary: Any = self._channel.unary_unary(SERVICE + method)
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        return reply.FromString(await unary(request.SerializeToString(), timeout=10, metadata=metadata))

    async def refused(self, method: str, request: Message) -> Sequence[tuple[str, str]]:
        with pytest.raises(grpc.RpcError) as error:
            await self.ask(method, request, admin_pb2.PeekResponse)
        refusal = said(error.value)
        assert refusal.code == "INVALID_ARGUMENT"
        return refusal.violations

    async def stats(self) -> dict[str, admin_pb2.DestinationStats]:
        reply = await self.ask("GetOutboxStats", admin_pb2.GetOutboxStatsRequest(), admin_pb2.GetOutboxStatsResponse)
        return {one.destination: one for one in reply.destinations}

    async def dead(self, **fields: Any) -> admin_pb2.ListDeadLettersResponse:
        request = admin_pb2.ListDeadLettersRequest(**{"destination": "hook", **fields})
        return await self.ask("ListDeadLetters", request, admin_pb2.ListDeadLettersResponse)

    async def requeue(self, **fields: Any) -> admin_pb2.RequeueResponse:
        request = admin_pb2.RequeueRequest(**{"destination": "hook", **fields})
        return await self.ask("Requeue", request, admin_pb2.RequeueResponse)

    async def purge(self, **fields: Any) -> admin_pb2.PurgeResponse:
        request = admin_pb2.PurgeRequest(**{"destination": "hook", **fields})
        return await self.ask("Purge", request, admin_pb2.PurgeResponse)

    async def bury(self, *event_ids: str, destination: str = "hook") -> None:
        """Track events and make them dead letters at their first attempt."""
        for event_id in event_ids:
            await self.served.track(event_id=event_id)
        outbox = self.served.parts.outbox
        read = cursors(await outbox.read(destination, None, 100))
        await outbox.settle(destination, [Settled(one, "REFUSED", "said no", 400, 2) for one in read])


@asynccontextmanager
async def operating(
    directory: Path, configuration: Mapping[str, Any] | None = None, *, destinations: Sequence[Any] = (WEBHOOK,)
) -> AsyncIterator[Operator]:
    socket = f"unix:{directory / 'admin.sock'}"
    settings = {
        "grpc_listen": ["127.0.0.1:0", socket],
        "destinations": [dict(one) for one in destinations],
        **(configuration or {}),
    }
    async with serving(directory, settings) as served, aio.insecure_channel(socket) as channel:
        yield Operator(served, channel)


async def test_stats_are_the_counts_and_how_each_destination_is(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        await operator.bury("1", "2")
        await operator.served.track(event_id="3")
        status = operator.served.parts.delivery.statuses["hook"]
        status.paused, status.pause_reason, status.paused_since_ms = True, "401 from there", 1_000
        status.last_error, status.last_error_ms = "401 from there", 1_000

        hook = (await operator.stats())["hook"]

        assert (hook.accepted, hook.delivered, hook.pending, hook.dead) == (3, 0, 1, 2)
        assert hook.pending_bytes > 0 < hook.dead_bytes
        assert hook.pending_bytes_max == 512 * 2**20
        assert hook.HasField("oldest_age")
        assert (hook.pause_reason, hook.paused_time.seconds, hook.last_error) == ("401 from there", 1, "401 from there")


async def test_stats_say_what_is_on_disk_and_why_nothing_can_be_written(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        outbox = operator.served.parts.outbox
        outbox.stats.writable, outbox.stats.cause = False, "disk is full"
        request, reply = admin_pb2.GetOutboxStatsRequest(), admin_pb2.GetOutboxStatsResponse
        stats = await operator.ask("GetOutboxStats", request, reply)
        assert stats.unwritable_reason == "disk is full"
        assert stats.disk_bytes > 4096


async def test_peek_shows_the_oldest_as_webhook_would_get_them_and_takes_nothing(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        for event_id in ("1", "2", "3"):
            await operator.served.track(event_id=event_id, properties={"n": event_id})
        request = admin_pb2.PeekRequest(destination="hook", limit=2)
        for _ in range(2):
            first, second = (await operator.ask("Peek", request, admin_pb2.PeekResponse)).events
            assert (first.event_id, second.event_id) == ("1", "2")
            assert (first.kind, first.datafile) == (event_pb2.EVENT_KIND_TRACK, "default")
            event = json.loads(first.event_json)
            assert (event["schema_version"], event["kind"], event["properties"]) == (1, "track", {"n": "1"})
            assert first.accepted_time.seconds > 0


async def test_peek_of_a_record_that_cannot_be_read_says_when_it_came_and_no_more(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        await operator.served.parts.outbox.append(Record(b"\xff", EncodedFacts("k", b"\xff"), (("hook", 1),), 1, 5_000))
        request = admin_pb2.PeekRequest(destination="hook")
        (event,) = (await operator.ask("Peek", request, admin_pb2.PeekResponse)).events
        assert (event.accepted_time.seconds, event.event_id, event.event_json) == (5, "", "")


async def test_dead_letters_say_why_and_come_in_pages(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        await operator.bury(*"12345")
        seen, token = [], ""
        while True:
            page = await operator.dead(page_size=2, page_token=token)
            seen += [letter.event.event_id for letter in page.dead_letters]
            letter = page.dead_letters[0]
            assert (letter.reason, letter.error, letter.http_status, letter.attempts) == ("REFUSED", "said no", 400, 2)
            assert letter.dead_time.seconds > 0
            token = page.next_page_token
            if not token:
                break
        assert seen == list("12345")


async def test_a_page_begins_behind_the_last_one_whatever_went_since(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        await operator.bury(*"1234")
        page = await operator.dead(page_size=2)
        await operator.purge(dead_letter_ids=[one.dead_letter_id for one in page.dead_letters])
        following = await operator.dead(page_size=2, page_token=page.next_page_token)
        assert [one.event.event_id for one in following.dead_letters] == ["3", "4"]


async def test_requeue_puts_named_letters_at_the_end_and_passes_over_those_that_are_gone(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        await operator.bury("1", "2")
        await operator.served.track(event_id="3")
        (first, _) = (await operator.dead()).dead_letters
        for requeued in (1, 0):
            answer = await operator.requeue(dead_letter_ids=[first.dead_letter_id, first.dead_letter_id])
            assert (answer.requeued, answer.left) == (requeued, 0)
        assert [one.origin.event_id for one in await operator.served.events()] == ["3", "1"]


async def test_requeue_stops_at_the_destination_s_bound_and_says_how_many_are_left(tmp_path: Path) -> None:
    async with operating(tmp_path, {"outbox": {"bytes_max": 300}}) as operator:
        for event_id in "123456":
            await operator.bury(event_id)
        letters = (await operator.dead()).dead_letters
        some = await operator.requeue(dead_letter_ids=[one.dead_letter_id for one in letters])
        assert 0 < some.requeued < 6
        assert some.requeued + some.left == 6
        rest = await operator.requeue(all=True)
        assert (rest.requeued, rest.left) == (0, some.left)


async def test_purged_letters_are_counted_as_dropped(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        await operator.bury("1", "2", "3")
        assert (await operator.purge(all=True)).purged == 3
        hook = (await operator.stats())["hook"]
        assert (hook.accepted, hook.dead, dict(hook.dropped)) == (3, 0, {"PURGED": 3})


async def test_a_removed_destination_is_shown_and_purged_and_not_requeued(tmp_path: Path) -> None:
    old = {**WEBHOOK, "name": "old"}
    async with operating(tmp_path, destinations=(WEBHOOK, old)) as operator:
        await operator.served.track(event_id="1")
    async with operating(tmp_path) as operator:
        assert list(await operator.stats()) == ["hook", "old"]
        (letter,) = (await operator.dead(destination="old")).dead_letters
        assert letter.reason == "DESTINATION_REMOVED"
        (violation,) = await operator.refused("Requeue", admin_pb2.RequeueRequest(destination="old", all=True))
        assert violation == ("destination", "is `old`, which is not configured; nothing was requeued")
        assert (await operator.purge(destination="old", all=True)).purged == 1
        assert list(await operator.stats()) == ["hook"]


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("Peek", admin_pb2.PeekRequest(), "destination"),
        ("Peek", admin_pb2.PeekRequest(destination="nobody"), "destination"),
        ("Peek", admin_pb2.PeekRequest(destination="hook", limit=1001), "limit"),
        ("Peek", admin_pb2.PeekRequest(destination="hook", limit=-1), "limit"),
        ("ListDeadLetters", admin_pb2.ListDeadLettersRequest(destination="hook", page_size=1001), "page_size"),
        ("ListDeadLetters", admin_pb2.ListDeadLettersRequest(destination="hook", page_token="x"), "page_token"),
        ("Requeue", admin_pb2.RequeueRequest(destination="hook"), "dead_letter_ids"),
        ("Requeue", admin_pb2.RequeueRequest(destination="hook", all=True, dead_letter_ids=["1"]), "dead_letter_ids"),
        ("Purge", admin_pb2.PurgeRequest(destination="hook", dead_letter_ids=["1"] * 1001), "dead_letter_ids"),
        ("Purge", admin_pb2.PurgeRequest(destination="hook", dead_letter_ids=["1", "-2"]), "dead_letter_ids[1]"),
    ],
)
async def test_what_is_wrong_with_a_request_is_named(
    tmp_path: Path, method: str, request_: Message, field: str
) -> None:
    async with operating(tmp_path) as operator:
        assert [name for name, _ in await operator.refused(method, request_)] == [field]


async def test_a_page_token_is_good_for_its_own_destination_alone(tmp_path: Path) -> None:
    async with operating(tmp_path, destinations=(WEBHOOK, {**WEBHOOK, "name": "other"})) as operator:
        await operator.bury("1", "2")
        token = (await operator.dead(page_size=1)).next_page_token
        request = admin_pb2.ListDeadLettersRequest(destination="other", page_token=token)
        assert [name for name, _ in await operator.refused("ListDeadLetters", request)] == ["page_token"]


async def test_a_datafile_limits_the_call_to_its_destinations(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        request = admin_pb2.GetOutboxStatsRequest(datafile="nobody")
        with pytest.raises(grpc.RpcError) as error:
            await operator.ask("GetOutboxStats", request, admin_pb2.GetOutboxStatsResponse)
        assert said(error.value).reason == "DATAFILE_NOT_FOUND"
        known = admin_pb2.GetOutboxStatsRequest(datafile="default")
        reply = await operator.ask("GetOutboxStats", known, admin_pb2.GetOutboxStatsResponse)
        assert [one.destination for one in reply.destinations] == ["hook"]


async def test_over_tcp_it_is_not_there(tmp_path: Path) -> None:
    async with operating(tmp_path) as operator:
        for method in ("GetOutboxStats", "Peek", "ListDeadLetters", "Requeue", "Purge"):
            with pytest.raises(aio.AioRpcError) as error:
                await operator.served.call(SERVICE + method, b"", admin_pb2.PeekResponse)
            assert (error.value.code(), error.value.details()) == (
                grpc.StatusCode.UNIMPLEMENTED,
                "Method not found!",
            )


async def test_over_tcp_it_is_there_when_configured(tmp_path: Path) -> None:
    async with serving(tmp_path, {"admin_over_tcp": True}) as served:
        request = admin_pb2.GetOutboxStatsRequest()
        reply = await served.call(SERVICE + "GetOutboxStats", request, admin_pb2.GetOutboxStatsResponse)
        assert {one.destination for one in reply.destinations} == {"optimizely", "hook"}


async def test_on_the_socket_too_the_token_is_asked_for(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    async with operating(tmp_path, {"token_file": str(token)}) as operator:
        request, reply = admin_pb2.GetOutboxStatsRequest(), admin_pb2.GetOutboxStatsResponse
        with pytest.raises(grpc.RpcError) as error:
            await operator.ask("GetOutboxStats", request, reply)
        assert said(error.value).reason == "UNAUTHENTICATED"
        assert (await operator.ask("GetOutboxStats", request, reply, token="secret")).destinations


async def test_a_reply_that_would_be_too_large_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.limits.ADMIN_REPLY_BYTES_MAX", 1)
    async with operating(tmp_path) as operator:
        await operator.bury("1", "2")
        page = await operator.dead()
        assert (len(page.dead_letters), bool(page.next_page_token)) == (1, True)
        following = await operator.dead(page_token=page.next_page_token)
        assert [one.event.event_id for one in following.dead_letters] == ["2"]


async def test_dead_letters_of_large_records_come_in_more_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.outbox.letters.READ_BYTES_MAX", 1)
    async with operating(tmp_path) as operator:
        for event_id in "123":
            await operator.bury(event_id)
        seen, token = [], ""
        while True:
            page = await operator.dead(page_token=token)
            seen += [letter.event.event_id for letter in page.dead_letters]
            token = page.next_page_token
            if not token:
                break
        assert seen == list("123")
