"""`Import` through a running server: all or none, every violation by its place, outcomes, ids, and what is stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar import limits
from sidecar.events.model import Track, kind_of
from sidecar.pb import event_pb2, tracking_pb2
from sidecar.rpc import wire
from tests.rpc.histories import (
    HOOK,
    IMPORT,
    NOT_TAKEN,
    OPTIMIZELY_HISTORY,
    SERVICE,
    event,
    imported,
    outcomes,
    request,
    tracks,
)
from tests.support.served import OPTIMIZELY, SHOP, WEBHOOK, Served, serving

KINDS = ("track", "identify", "page", "screen", "group", "alias")
AT = Timestamp(seconds=1_600_000_000, nanos=250_000_000)


def message(*events: tracking_pb2.ImportEvent, **fields: Any) -> tracking_pb2.ImportRequest:
    return tracking_pb2.ImportRequest(events=events, **fields)


def nested(levels: int) -> Any:
    value: Any = "deepest"
    for _ in range(levels):
        value = [value]
    return value


def nested_bytes(levels: int, tag: bytes = b"\x32") -> bytes:
    """A `Value` of lists in each other; `tag` is that of a list within a value."""
    value = b"\x08\x00"
    for _ in range(levels):
        value = wire.field(tag, wire.field(b"\x0a", value))
    return value


def in_page(name: str, value: bytes, **fields: Any) -> bytes:
    """An import of one page, whose map of this name holds one value under the key `deep`."""
    number = tracking_pb2.PageRequest.DESCRIPTOR.fields_by_name[name].number
    entry = wire.field(wire.tag(1), b"deep") + wire.field(wire.tag(2), value)
    page = tracking_pb2.PageRequest(**fields).SerializeToString() + wire.field(wire.tag(number), entry)
    return wire.field(b"\x0a", wire.field(wire.tag(tracking_pb2.ImportEvent.PAGE_FIELD_NUMBER), page))


async def test_events_of_every_kind_are_stored_in_order_as_history(served: Served) -> None:
    reply = await imported(served, *(event(kind, event_id=f"e-{kind}", timestamp=AT) for kind in KINDS))
    assert list(reply.event_ids) == [f"e-{kind}" for kind in KINDS]
    stored = await served.events()
    assert [kind_of(one).value for one in stored] == list(KINDS)
    assert {(one.origin.historical, one.origin.time_ms, one.origin.datafile) for one in stored} == {
        (True, 1_600_000_000_250, "default")
    }


async def test_each_outcome_is_told_once_with_the_places_of_its_events(served: Served) -> None:
    reply = await imported(served, event("page"), event(), event(integrations={"hook": False}), event("page"))
    assert outcomes(reply.outcomes) == {
        NOT_TAKEN: [0, 3],
        OPTIMIZELY_HISTORY: [1, 2],
        HOOK: [0, 1, 3],
        ("hook", "SKIPPED", "INTEGRATIONS"): [2],
    }
    assert len(await served.events()) == 3


async def test_history_goes_to_optimizely_when_asked_and_is_judged_there_like_any_event(served: Served) -> None:
    reply = await imported(
        served, event(), event(event_key="nope"), event(event_tags={"list": [1]}), include_optimizely=True
    )
    assert outcomes(reply.outcomes) == {
        ("optimizely", "QUEUED", ""): [0],
        ("optimizely", "SKIPPED", "EVENT_KEY_NOT_FOUND"): [1],
        ("optimizely", "QUEUED", "TAGS_NOT_SENT: list"): [2],
        HOOK: [0, 1, 2],
    }
    assert all(one.origin.historical for one in await served.events("optimizely"))


async def test_ids_are_made_where_none_is_given(served: Served) -> None:
    reply = await imported(served, event(), event(event_id="mine"), event("identify"))
    assert [len(one) for one in reply.event_ids] == [36, 4, 36]
    assert [one.origin.event_id for one in await served.events()] == list(reply.event_ids)


# --- all or none ------------------------------------------------------------------------------------------------------


async def test_every_violation_of_every_event_is_named_and_nothing_is_accepted(served: Served) -> None:
    refused = await served.refused(
        IMPORT,
        message(
            event(event_id="good"),
            event("track", user_id="", event_key=""),
            tracking_pb2.ImportEvent(),
            event("alias", previous_id="", event_id="x" * 101),
            event(event_tags={"revenue": 100}, properties={"revenue": 1.01}, integrations={}),
            event("page", properties={"k" * 1025: 1, "deep": nested(33)}, timestamp=Timestamp(nanos=-1)),
            event(revenue=event_pb2.Money(amount="1", currency="usd")),
        ),
    )
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
    # Sorted within an event: a map has no order.
    assert sorted(field.partition("[0]")[0] for field in refused.fields) == sorted(
        [
            "events[1].user_id",
            "events[1].event_key",
            "events[2]",
            "events[3].previous_id",
            "events[3].event_id",
            "events[5].properties",
            "events[5].properties.deep",
            "events[5].timestamp",
            "events[6].revenue.currency",
        ]
    )
    assert await served.events() == []
    assert (await imported(served, event(event_id="good"))).repeated_events == 0


async def test_contradictions_count_where_somebody_counts(served: Served) -> None:
    contradictory = event(event_tags={"revenue": 100}, properties={"revenue": 1.01})
    assert len((await imported(served, contradictory)).event_ids) == 1
    refused = await served.refused(IMPORT, message(event(), contradictory, include_optimizely=True))
    assert refused.fields == ["events[1].event_tags.revenue"]


@pytest.mark.parametrize("events", [0, limits.IMPORT_EVENTS_MAX + 1])
async def test_another_number_of_events_than_1_to_500_is_refused(served: Served, events: int) -> None:
    refused = await served.refused(IMPORT, message(*[event()] * events))
    assert refused.violations == (("events", f"has {events} entries, wanted 1 to 500"),)


async def test_500_events_are_one_commit(served: Served) -> None:
    commits = served.parts.outbox.stats.commits
    reply = await imported(served, *tracks(*(f"e-{n}" for n in range(500))))
    assert served.parts.outbox.stats.commits == commits + 1
    assert len(reply.event_ids) == len(await served.events()) == 500


async def test_a_large_message_is_taken_and_one_past_17_mib_is_not(served: Served) -> None:
    large = event("identify", traits={str(n): "x" * 60_000 for n in range(60)})
    body = message(large, large, large, large).SerializeToString()
    assert len(body) > limits.MESSAGE_BYTES_MAX
    assert len((await served.call(IMPORT, body, tracking_pb2.ImportResponse)).event_ids) == 4
    past = message(*[large] * 6).SerializeToString()
    with pytest.raises(Exception, match=r"(?i)larger|17825792|bytes"):
        await served.call(IMPORT, past, tracking_pb2.ImportResponse)


async def test_an_event_larger_than_a_call_may_be_is_named(served: Served) -> None:
    large = event("identify", traits={str(n): "x" * 60_000 for n in range(80)})
    refused = await served.refused(IMPORT, message(event(), large))
    assert refused.fields == ["events[1]"]


async def test_a_value_that_nests_too_deep_to_be_parsed_is_named_beside_what_else_is_wrong(served: Served) -> None:
    deep = in_page("properties", nested_bytes(60))
    body = message(event(user_id="")).SerializeToString() + deep + message(event()).SerializeToString()
    refused = await served.refused(IMPORT, body)
    assert refused.fields == ["events[0].user_id", "events[1].properties", "events[1].user_id"]


async def test_bytes_that_are_no_message_are_malformed(served: Served) -> None:
    assert (await served.refused(IMPORT, b"\x0a\xff")).reason == "MALFORMED"
    assert (
        await served.refused(IMPORT, wire.field(b"\x0a", wire.field(b"\x0a", b"\x0a\x01\xff")))
    ).reason == "MALFORMED"


async def test_a_full_outbox_refuses_all(tmp_path: Path) -> None:
    async with serving(tmp_path, {"destinations": [dict(WEBHOOK)], "outbox": {"bytes_max": 1_000}}) as served:
        refused = await served.refused(IMPORT, message(*tracks(*(f"e-{n}" for n in range(100)))))
        assert (refused.code, refused.reason, refused.retry_s) == ("RESOURCE_EXHAUSTED", "OUTBOX_FULL", 2.0)
        assert await served.events() == []
        assert (await imported(served, *tracks("e-0"))).repeated_events == 0


# --- a Track that nobody takes ----------------------------------------------------------------------------------------


async def test_a_key_that_nobody_knows_is_a_violation_of_its_event(tmp_path: Path) -> None:
    async with serving(tmp_path, {"destinations": [dict(OPTIMIZELY)]}) as served:
        refused = await served.refused(IMPORT, message(event(), event(event_key="nope"), include_optimizely=True))
        ((field, description),) = refused.violations
        assert field == "events[1].event_key"
        assert description.startswith("`nope` is not in the datafile")
        assert await served.events("optimizely") == []


async def test_history_that_nobody_wants_is_accepted_and_stored_nowhere(tmp_path: Path) -> None:
    async with serving(tmp_path, {"destinations": [dict(OPTIMIZELY)]}) as served:
        reply = await imported(served, *tracks("e-1", "e-2"))
        assert outcomes(reply.outcomes) == {OPTIMIZELY_HISTORY: [0, 1]}
        assert await served.events("optimizely") == []


async def test_without_a_datafile_history_for_optimizely_alone_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, {"datafiles": {}, "destinations": [dict(OPTIMIZELY)]}) as served:
        refused = await served.refused(IMPORT, message(event(), include_optimizely=True))
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "NO_DATAFILE")


# --- datafiles --------------------------------------------------------------------------------------------------------


async def test_an_event_goes_to_its_own_datafile_else_to_that_of_the_message(tmp_path: Path) -> None:
    other = json.loads(SHOP.read_text()) | {"revision": "other"}
    (tmp_path / "other.json").write_text(json.dumps(other))
    datafiles = {
        "default": {"path": str(SHOP)},
        "other": {"path": str(tmp_path / "other.json"), "destinations": ["hook"]},
    }
    async with serving(tmp_path, {"datafiles": datafiles}) as served:
        reply = await imported(served, event(), event(datafile="default"), event("page"), datafile="other")
        assert [one.origin.datafile for one in await served.events()] == ["other", "other", "default"]
        assert outcomes(reply.outcomes) == {HOOK: [0, 1, 2], OPTIMIZELY_HISTORY: [1]}
        records = await served.parts.outbox.read("hook", None, 10)
        assert len({one.facts for one in records}) == 2


async def test_an_unknown_datafile_refuses_all(served: Served) -> None:
    for wrong in (message(event(), datafile="nope"), message(event(), event(datafile="nope"))):
        refused = await served.refused(IMPORT, wrong)
        assert (refused.code, refused.reason) == ("NOT_FOUND", "DATAFILE_NOT_FOUND")
        assert refused.metadata == {"datafile": "nope"}
    assert await served.events() == []


# --- repeats ----------------------------------------------------------------------------------------------------------


async def test_the_first_body_of_an_id_wins_inside_one_import(served: Served) -> None:
    reply = await imported(
        served, *tracks("e-1", event_key="first"), *tracks("e-2", "e-1"), event("page", event_id="e-2")
    )
    assert reply.repeated_events == 2
    assert list(reply.event_ids) == ["e-1", "e-2", "e-1", "e-2"]
    assert outcomes(reply.outcomes) == {OPTIMIZELY_HISTORY: [0, 1, 2, 3], HOOK: [0, 1, 2, 3]}
    stored = await served.events()
    assert [one.origin.event_id for one in stored] == ["e-1", "e-2"]
    assert isinstance(stored[0], Track)
    assert stored[0].event_key == "first"


async def test_ids_are_remembered_over_calls_and_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.track(event_id="e-1")
        assert (await imported(served, *tracks("e-1", "e-2"))).repeated_events == 1
    async with serving(tmp_path) as served:
        reply = await imported(served, *tracks("e-1", "e-2", "e-3"))
        assert reply.repeated_events == 2
        # That of the Track stands for its repeats.
        assert outcomes(reply.outcomes)["optimizely", "QUEUED", ""] == [0]
        assert [one.origin.event_id for one in await served.events()] == ["e-1", "e-2", "e-3"]


# --- as the six calls -------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
MAPS = st.dictionaries(st.text(max_size=12) | st.sampled_from(["revenue", "value", "currency"]), VALUES, max_size=4)
SWITCHES = st.dictionaries(st.sampled_from(["All", "hook", "seg", "optimizely"]), st.booleans(), max_size=2)
OPTIONAL: dict[str, Any] = {
    "anonymous_id": st.text(max_size=5),
    "event_id": st.sampled_from(["", "a", "b", "c", "d"]),
    "timestamp": st.builds(Timestamp, seconds=st.integers(-(10**10), 10**10), nanos=st.integers(0, 10**9 - 1)),
    "context": MAPS | st.fixed_dictionaries({"integrations": SWITCHES}),
    "integrations": SWITCHES,
}
OF_KIND: dict[str, dict[str, Any]] = {
    "track": {
        "event_key": st.sampled_from(["purchase", "nope"]),
        "attributes": MAPS,
        "event_tags": MAPS,
        "properties": MAPS,
        "revenue": st.builds(event_pb2.Money, amount=st.sampled_from(["1", "0.01"]), currency=st.just("USD")),
    },
    "identify": {"traits": MAPS},
    "page": {"name": st.text(max_size=5), "properties": MAPS},
    "screen": {"category": st.text(max_size=5), "properties": MAPS},
    "group": {"traits": MAPS},
    "alias": {},
}
EVENTS = st.sampled_from(KINDS).flatmap(
    lambda kind: st.tuples(st.just(kind), st.fixed_dictionaries({}, optional={**OPTIONAL, **OF_KIND[kind]}))
)


def comparable(stored: Sequence[Any]) -> list[Any]:
    """Without what the server stamps: receipt, ids that it made, and that it came by an import."""
    found = []
    for one in stored:
        origin = one.origin
        own_id = "" if len(origin.event_id) == 36 else origin.event_id
        time_ms = None if origin.time_ms == origin.received_ms else origin.time_ms
        rest = {name: getattr(one, name) for name in one.__struct_fields__ if name != "origin"}
        found.append((type(one), own_id, time_ms, origin.user_id, origin.anonymous_id, origin.context, rest))
    return found


async def one_by_one(served: Served, events: Sequence[tuple[str, dict[str, Any]]]) -> tuple[list[Any], list[str]]:
    told, fields = [], []
    for place, (kind, wanted) in enumerate(events):
        reply_type = getattr(tracking_pb2, f"{kind.capitalize()}Response")
        try:
            reply = await served.call(SERVICE + kind.capitalize(), request(kind, **wanted), reply_type)
        except Exception:  # noqa: BLE001 - which violations it has is asked below
            refused = await served.refused(SERVICE + kind.capitalize(), request(kind, **wanted))
            fields += [f"events[{place}].{name}" for name in refused.fields]
            continue
        told.append({(one.destination, one.state, one.reason) for one in reply.outcomes})
    return told, fields


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, min_size=1, max_size=6))
async def test_an_import_is_what_its_calls_are_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, dict[str, Any]]]
) -> None:
    segment = {"name": "seg", "type": "segment", "write_key": "k", "endpoint": "http://127.0.0.1:9/"}
    configuration = {"destinations": [dict(OPTIMIZELY), segment, dict(WEBHOOK)]}
    directory = tmp_path_factory.mktemp("calls")
    async with serving(directory / "one", configuration) as single, serving(directory / "all", configuration) as whole:
        told, fields = await one_by_one(single, events)
        wanted = message(*(event(kind, **some) for kind, some in events), include_optimizely=True)
        if fields:
            assert (await whole.refused(IMPORT, wanted)).fields == fields
            assert await whole.events("seg") == []
            return
        reply = await whole.call(IMPORT, wanted, tracking_pb2.ImportResponse)
        by_event: list[set[Any]] = [set() for _ in events]
        for one in reply.outcomes:
            for place in one.event_indexes:
                by_event[place].add((one.outcome.destination, one.outcome.state, one.outcome.reason))
        assert by_event == told
        for destination in ("optimizely", "seg", "hook"):
            assert comparable(await whole.events(destination)) == comparable(await single.events(destination))


# --- odd bytes --------------------------------------------------------------------------------------------------------


async def test_an_event_written_in_pieces_is_one_event(served: Served) -> None:
    tag = wire.tag(tracking_pb2.ImportEvent.TRACK_FIELD_NUMBER)
    pieces = (tracking_pb2.TrackRequest(user_id="u"), tracking_pb2.TrackRequest(event_key="k", event_id="e"))
    body = wire.field(b"\x0a", b"".join(wire.field(tag, piece.SerializeToString()) for piece in pieces))
    reply = await served.call(IMPORT, body, tracking_pb2.ImportResponse)
    assert list(reply.event_ids) == ["e"]
    (stored,) = await served.events()
    assert (stored.origin.user_id, getattr(stored, "event_key", "")) == ("u", "k")


async def test_tags_written_longer_than_need_be_hide_no_depth(served: Served) -> None:
    for tag in (b"\x32", b"\xb2\x00"):
        refused = await served.refused(IMPORT, in_page("properties", nested_bytes(33, tag), user_id="u"))
        (field,) = refused.fields
        assert field.startswith("events[0].properties.deep")
        deepest = in_page("properties", nested_bytes(32, tag), user_id="u")
        assert len((await served.call(IMPORT, deepest, tracking_pb2.ImportResponse)).event_ids) == 1


async def test_damaged_messages_are_refused_by_name_or_taken_whole(served: Served) -> None:
    choice = Random("imports")
    body = message(*(event(kind, context={"a": [1, {"b": None}]}) for kind in KINDS), datafile="").SerializeToString()
    taken = 0
    for _ in range(400):
        damaged = bytearray(body)
        for _ in range(choice.randint(1, 3)):
            damaged[choice.randrange(len(damaged))] = choice.randrange(256)
        try:
            reply = await served.call(IMPORT, bytes(damaged), tracking_pb2.ImportResponse)
        except Exception:  # noqa: BLE001 - which refusal it is, is asked below
            assert (await served.refused(IMPORT, bytes(damaged))).reason in (
                "MALFORMED",
                "INVALID_ARGUMENT",
                "DATAFILE_NOT_FOUND",
            )
        else:
            taken += len(reply.event_ids)
    assert len(await served.events()) <= taken
