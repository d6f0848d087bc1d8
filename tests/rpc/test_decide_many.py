"""`DecideMany` through a running server: one result a user, errors apart, one revision, and the outbox."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from sidecar import limits
from sidecar.events.model import Impression
from sidecar.pb import decision_pb2, value_pb2
from sidecar.rpc import wire
from sidecar.rpc.answering import Answering
from sidecar.rpc.methods import Unary
from tests.decision.building import document, flag
from tests.rpc.test_decision import ALL_FLAGS, GERMAN, ScriptedCall, keys, option
from tests.support.refusals import said
from tests.support.served import BOTH, Served, decide_request, serving, values

pytestmark = pytest.mark.usefixtures("wire")

MANY = "/sidecar.v1.DecisionService/DecideMany"


def user(user_id: str = "u", **fields: Any) -> decision_pb2.DecideManyUser:
    attributes = fields.pop("attributes", {})
    return decision_pb2.DecideManyUser(user_id=user_id, attributes=values(attributes), **fields)


async def ask(served: Served, *users: decision_pb2.DecideManyUser, **fields: Any) -> list[Any]:
    request = decision_pb2.DecideManyRequest(users=users, **fields)
    return list((await served.call(MANY, request, decision_pb2.DecideManyResponse)).results)


def user_list(**fields: Any) -> decision_pb2.DecideManyRequest:
    return decision_pb2.DecideManyRequest(users=[user()], **fields)


def begin(served: Served, *users: decision_pb2.DecideManyUser) -> asyncio.Task[bytes]:
    """The handler itself at work, without a transport in between."""
    method: Any = served.parts.table[MANY]
    assert isinstance(method, Unary)
    request = decision_pb2.DecideManyRequest(users=users)
    waiting: Any = method.handler(request.SerializeToString(), ScriptedCall())
    return asyncio.create_task(waiting)


def field(number: int, body: bytes) -> bytes:
    """A length-delimited field of up to 127 bytes, written by hand so that it may hold anything."""
    assert len(body) < 128
    return bytes((number << 3 | 2, len(body))) + body


async def test_a_thousand_users_are_answered_in_order_at_one_revision(served: Served) -> None:
    users = [user(f"u{n}", decision_id=f"d{n}") for n in range(limits.USERS_MAX)]
    results = await ask(served, *users, flag_keys=["free_shipping"])
    assert [one.decided.decision_id for one in results] == [f"d{n}" for n in range(limits.USERS_MAX)]
    assert {one.decided.revision for one in results} == {"41"}
    made = [event for event in await served.events() if isinstance(event, Impression)]
    assert [(one.origin.user_id, one.decision_id) for one in made] == [(f"u{n}", f"d{n}") for n in range(1_000)]


async def test_each_result_and_each_impression_is_what_decide_makes(served: Served) -> None:
    users = [user("anna", attributes=GERMAN), user("bert"), user("anna")]
    results = await ask(served, *users, options=option("INCLUDE_REASONS"))
    pairs = []
    for one, result in zip(users, results, strict=True):
        attributes = GERMAN if one.attributes else {}
        alone = await served.decide(user_id=one.user_id, attributes=attributes, options=option("INCLUDE_REASONS"))
        assert list(result.decided.decisions) == list(alone.decisions)
        pairs.append((result.decided.decision_id, alone.decision_id))
    made: dict[str, list[Any]] = {}
    for event in await served.events("optimizely"):
        assert isinstance(event, Impression)
        about = (event.flag_key, event.variation_id, event.rule_type, event.origin.user_id, event.attributes)
        made.setdefault(event.decision_id, []).append(about)
    assert len(made) == 2 * len(users)
    for many_id, alone_id in pairs:
        assert made[many_id] == made[alone_id]


async def test_one_users_error_is_that_users_result_alone(served: Served) -> None:
    too_long = user("u", decision_id="x" * 101)
    forced = user("u", forced_decisions=[decision_pb2.ForcedDecision(variation_key="on")])
    first, *bad, last = await ask(served, user("a"), user(""), too_long, forced, user("b"), flag_keys=ALL_FLAGS[:1])
    assert [first.WhichOneof("result"), last.WhichOneof("result")] == ["decided", "decided"]
    refused = [said(one.error) for one in bad]
    assert [one.fields for one in refused] == [["user_id"], ["decision_id"], ["forced_decisions[0].flag_key"]]
    assert {(one.code, one.reason) for one in refused} == {("INVALID_ARGUMENT", "INVALID_ARGUMENT")}
    alone = await served.refused("/sidecar.v1.DecisionService/Decide", decide_request(user_id=""))
    assert (alone.code, alone.reason, alone.violations) == (refused[0].code, refused[0].reason, refused[0].violations)


async def test_a_user_whose_bytes_are_no_message_is_refused_alone(served: Served) -> None:
    bad_text = field(1, field(1, b"\xff\xfe"))
    cut_short = field(1, b"\x0a\x7f")
    body = field(1, user("a").SerializeToString()) + bad_text + cut_short + field(1, user("b").SerializeToString())
    reply = await served.call(MANY, body + field(2, b"free_shipping"), decision_pb2.DecideManyResponse)
    outcomes = [one.WhichOneof("result") for one in reply.results]
    assert outcomes == ["decided", "error", "error", "decided"]
    assert {said(one.error).reason for one in reply.results[1:3]} == {"MALFORMED"}
    assert {event.origin.user_id for event in await served.events()} == {"a", "b"}


async def test_a_user_that_nests_too_deep_is_refused_alone(served: Served) -> None:
    # More than the 100 messages in one another that protobuf parses: lists of one, written from the inside.
    kinds = value_pb2.Value.DESCRIPTOR.fields_by_name
    inner: Any = kinds["list_value"].message_type
    lists, items = kinds["list_value"], inner.fields_by_name["values"]
    deep = value_pb2.Value(int_value=1).SerializeToString()
    for _ in range(60):
        deep = wire.field(wire.tag(lists.number), wire.field(wire.tag(items.number), deep))
    entry = wire.field(wire.tag(2), field(1, b"x") + wire.field(wire.tag(2), deep))
    body = wire.field(wire.tag(1), field(1, b"u") + entry) + field(1, user().SerializeToString())
    first, second = (await served.call(MANY, body, decision_pb2.DecideManyResponse)).results
    assert said(first.error).fields == ["attributes"]
    assert second.HasField("decided")


async def test_a_decision_id_belongs_to_one_user(served: Served) -> None:
    first, second = await ask(served, user("a", decision_id="d"), user("b", decision_id="d"), flag_keys=ALL_FLAGS[:2])
    assert first.decided.decision_id == "d"
    assert said(second.error).fields == ["decision_id"]


async def test_the_same_request_twice_makes_its_impressions_once(served: Served) -> None:
    users = [user(f"u{n}", decision_id=f"d{n}") for n in range(3)]
    once = await ask(served, *users, flag_keys=["free_shipping"])
    assert once == await ask(served, *users, flag_keys=["free_shipping"])
    assert len(await served.events()) == 3


@pytest.mark.parametrize("count", [0, limits.USERS_MAX + 1])
async def test_too_few_or_too_many_users_fail_the_call(served: Served, count: int) -> None:
    refused = await served.refused(MANY, decision_pb2.DecideManyRequest(users=[user()] * count))
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", ["users"])
    assert await served.events() == []


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (decision_pb2.DecideManyRequest(users=[user()], datafile="nope"), "DATAFILE_NOT_FOUND"),
        (user_list(options=[99]), "INVALID_ARGUMENT"),
        (decision_pb2.DecideManyRequest(users=[user()], flag_keys=["f"] * 1_001), "INVALID_ARGUMENT"),
        (b"\x0a\x7f", "MALFORMED"),
        (b"\x00", "MALFORMED"),
    ],
)
async def test_what_concerns_every_user_fails_the_call(served: Served, request_: Message | bytes, reason: str) -> None:
    assert (await served.refused(MANY, request_)).reason == reason


async def test_options_count_for_every_user(served: Served) -> None:
    options = option("DISABLE_DECISION_EVENT", "ENABLED_FLAGS_ONLY", "EXCLUDE_VARIABLES")
    results = await ask(served, user("a", attributes=GERMAN), user("b", attributes=GERMAN), options=options)
    assert [keys(one.decided) for one in results] == [["free_shipping"]] * 2
    assert not results[0].decided.decisions[0].variables
    assert await served.events() == []


async def test_users_past_the_bytes_of_a_reply_get_an_error_and_no_impression(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = (await served.decide(user_id="u", options=option("DISABLE_DECISION_EVENT"))).ByteSize()
    monkeypatch.setattr(limits, "MANY_REPLY_BYTES_MAX", 2 * one + one // 2)
    results = await ask(served, *(user(f"u{n}") for n in range(4)))
    assert [each.WhichOneof("result") for each in results] == ["decided", "decided", "error", "error"]
    assert said(results[2].error).fields == ["flag_keys"]
    assert {event.origin.user_id for event in await served.events()} == {"u0", "u1"}


async def test_a_fault_of_ours_costs_one_user(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answering.answer

    def broken(self: Any, snapshot: Any, question: Any, *more: Any) -> bytes:
        if question.user.user_id == "b":
            raise KeyError("a bug")
        return answer(self, snapshot, question, *more)

    monkeypatch.setattr(Answering, "answer", broken)
    results = await ask(served, user("a"), user("b"), user("c"))
    assert [one.WhichOneof("result") for one in results] == ["decided", "error", "decided"]
    assert said(results[1].error).code == "INTERNAL"


async def test_other_calls_get_their_turn_while_many_users_are_decided(served: Served) -> None:
    replying = begin(served, *(user(f"u{n}") for n in range(1_000)))
    turns = 0
    while not replying.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(decision_pb2.DecideManyResponse.FromString(await replying).results) == 1_000
    # Five flags for each of a thousand users.
    assert turns >= 5_000 // limits.DECISIONS_PER_TURN


async def test_a_reload_in_the_middle_does_not_mix_revisions(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    path.write_text(json.dumps(document(revision="1", featureFlags=[flag(f"f{n}") for n in range(50)])))
    async with serving(tmp_path, {"datafiles": {"default": {"path": str(path)}}}) as served:
        replying = begin(served, *(user(f"u{n}") for n in range(200)))
        await asyncio.sleep(0)
        path.write_text(json.dumps(document(revision="2", featureFlags=[flag("other")])))
        while not replying.done():
            await asyncio.sleep(0)
        await served.parts.datafiles.reload()
        results = decision_pb2.DecideManyResponse.FromString(await replying).results
        assert {one.decided.revision for one in results} == {"1"}
        (after,) = await ask(served, user())
        assert after.decided.revision == "2"


async def test_every_destination_gets_the_impressions_of_every_user(served: Served) -> None:
    await ask(served, user("a", attributes=GERMAN), user("b"))
    for one in BOTH:
        made = [event for event in await served.events(str(one["name"])) if isinstance(event, Impression)]
        assert {event.origin.user_id: event.attributes for event in made} == {"a": GERMAN, "b": {}}
