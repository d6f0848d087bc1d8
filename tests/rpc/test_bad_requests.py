"""What is refused, with every violation by its path, and that the process is unharmed by it."""

from __future__ import annotations

import math
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar import limits
from sidecar.pb import datafile_pb2, decision_pb2, event_pb2, tracking_pb2, value_pb2
from sidecar.rpc import wire
from sidecar.values import Value
from tests.rpc.conftest import Asker
from tests.support.served import DECIDE, TRACK, decide_request, track_request, values

TRACKING = "/sidecar.v1.TrackingService/"
FORCED = decision_pb2.ForcedDecision
SEGMENTS = decision_pb2.QualifiedSegments


def nested(depth: int) -> Value:
    value: Value = 1
    for _ in range(depth):
        value = [value]
    return value


DEEPEST = "[0]" * 32


def deep_field(message: type[Message], field: str, depth: int) -> bytes:
    """One map field with one value of this depth, by hand: the library does not make what it does not parse."""
    value = value_pb2.Value(int_value=1).SerializeToString()
    for _ in range(depth):
        inner = wire.field(wire.tag(1), value)
        value = wire.field(wire.tag(value_pb2.Value.LIST_VALUE_FIELD_NUMBER), inner)
    entry = wire.field(wire.tag(1), b"deep") + wire.field(wire.tag(2), value)
    return wire.field(wire.tag(message.DESCRIPTOR.fields_by_name[field].number), entry)


DECIDES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no user": ({"user_id": ""}, ["user_id"]),
    "user of 64 KiB and a byte": ({"user_id": "u" * (64 * 1024 + 1)}, ["user_id"]),
    "user of 64 KiB and a byte in two-byte letters": ({"user_id": "é" * (32 * 1024) + "x"}, ["user_id"]),
    "attribute of 1 MiB": ({"attributes": {"big": "x" * 2**20}}, ["attributes.big"]),
    "attribute of 1 MiB in a list": ({"attributes": {"big": ["x" * 2**20]}}, ["attributes.big"]),
    "300 attributes": ({"attributes": {f"a{n}": n for n in range(300)}}, ["attributes"]),
    "300 entries in a map": ({"attributes": {"m": {f"a{n}": n for n in range(300)}}}, ["attributes.m"]),
    "33 levels": ({"attributes": {"deep": nested(33)}}, ["attributes.deep" + DEEPEST]),
    "key of 2 KiB": ({"attributes": {"k" * 2048: 1}}, ["attributes"]),
    "unknown option": ({"options": [99]}, ["options[0]"]),
    "1,001 flag keys": ({"flag_keys": ["f"] * 1001}, ["flag_keys"]),
    "decision id of 101 characters": ({"decision_id": "d" * 101}, ["decision_id"]),
    "1,001 forced decisions": ({"forced_decisions": [FORCED(flag_key="f")] * 1001}, ["forced_decisions"]),
    "forced decision of no flag": (
        {"forced_decisions": [FORCED(flag_key="f"), FORCED(variation_key="v")]},
        ["forced_decisions[1].flag_key"],
    ),
    "1,001 segments": ({"qualified_segments": SEGMENTS(keys=["s"] * 1001)}, ["qualified_segments.keys"]),
    "segment of 2 KiB": ({"qualified_segments": SEGMENTS(keys=["s", "s" * 2048])}, ["qualified_segments.keys[1]"]),
    "several at once": (
        {
            "user_id": "",
            "decision_id": "d" * 101,
            "attributes": {"big": "x" * 2**17, "deep": nested(33), "fine": 1},
            "options": [1, 99, 98],
            "flag_keys": ["f"] * 1001,
        },
        [
            *("user_id", "decision_id", "flag_keys", "options[1]", "options[2]"),
            *("attributes.big", "attributes.deep" + DEEPEST),
        ],
    ),
}


@pytest.mark.parametrize(("fields", "violated"), DECIDES.values(), ids=DECIDES.keys())
def test_decide_names_every_violation(asker: Asker, fields: dict[str, Any], violated: list[str]) -> None:
    refused = asker.refused(DECIDE, decide_request(**fields))
    assert (refused.code, refused.reason, refused.domain) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT", "sidecar")
    assert sorted(refused.fields) == sorted(violated)
    assert all("wanted" in text or "deeper than" in text for _, text in refused.violations)


TRACKS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nobody": ({"user_id": ""}, ["user_id"]),
    "no event key": ({"event_key": ""}, ["event_key"]),
    "event id of 101 characters": ({"event_id": "e" * 101}, ["event_id"]),
    "user of 64 KiB and a byte": ({"anonymous_id": "u" * (64 * 1024 + 1)}, ["anonymous_id"]),
    "300 properties": ({"properties": {f"p{n}": n for n in range(300)}}, ["properties"]),
    "tag of 1 MiB": ({"event_tags": {"big": "x" * 2**20}}, ["event_tags.big"]),
    "key of 2 KiB": ({"context": {"k" * 2048: 1}}, ["context"]),
    "33 levels": ({"integrations": {"x": nested(33)}}, ["integrations.x" + DEEPEST]),
    "year 10000": ({"timestamp": Timestamp(seconds=253402300800)}, ["timestamp"]),
    "nanoseconds of more than a second": ({"timestamp": Timestamp(seconds=1, nanos=10**9)}, ["timestamp"]),
    "value that is NaN": ({"event_tags": {"value": math.nan}}, ["event_tags.value"]),
    "value that is infinite": ({"event_tags": {"value": math.inf}}, ["event_tags.value"]),
    "value that is a list": ({"event_tags": {"value": [1]}}, ["event_tags.value"]),
    "revenue that is a string": ({"event_tags": {"revenue": "100"}}, ["event_tags.revenue"]),
    "revenue that is a bool": ({"event_tags": {"revenue": True}}, ["event_tags.revenue"]),
    "revenue with a fraction": ({"event_tags": {"revenue": 1.5}}, ["event_tags.revenue"]),
    "unknown currency": ({"revenue": event_pb2.Money(amount="1", currency="XYZ")}, ["revenue.currency"]),
    "currency in lower case": ({"revenue": event_pb2.Money(amount="1", currency="usd")}, ["revenue.currency"]),
    "amount that is none": ({"revenue": event_pb2.Money(amount="1e3", currency="USD")}, ["revenue.amount"]),
    "amount that is missing": ({"revenue": event_pb2.Money(currency="USD")}, ["revenue.amount"]),
    "amount too fine for its currency": (
        {"revenue": event_pb2.Money(amount="1.5", currency="JPY")},
        ["revenue.amount"],
    ),
    "revenue against the tag": (
        {"revenue": event_pb2.Money(amount="1.00", currency="USD"), "event_tags": {"revenue": 99}},
        ["event_tags.revenue"],
    ),
    "revenue against the property": (
        {"revenue": event_pb2.Money(amount="1.00", currency="USD"), "properties": {"revenue": 1.01}},
        ["properties.revenue"],
    ),
    "revenue against the currency": (
        {"revenue": event_pb2.Money(amount="1.00", currency="USD"), "properties": {"currency": "EUR"}},
        ["properties.currency"],
    ),
    "tag against the property": (
        {"event_tags": {"revenue": 100}, "properties": {"revenue": 1.01}},
        ["event_tags.revenue"],
    ),
    "value against value": ({"event_tags": {"value": 1}, "properties": {"value": 2}}, ["event_tags.value"]),
    "both tags": ({"event_tags": {"revenue": "1", "value": "x"}}, ["event_tags.revenue", "event_tags.value"]),
    "several at once": (
        {
            "user_id": "",
            "event_key": "",
            "event_id": "e" * 101,
            "properties": {"big": "x" * 2**17},
            "revenue": event_pb2.Money(amount="x", currency="y"),
        },
        ["user_id", "event_key", "event_id", "properties.big", "revenue.currency", "revenue.amount"],
    ),
}


@pytest.mark.parametrize(("fields", "violated"), TRACKS.values(), ids=TRACKS.keys())
def test_track_names_every_violation(asker: Asker, fields: dict[str, Any], violated: list[str]) -> None:
    refused = asker.refused(TRACK, track_request(**fields))
    assert (refused.code, refused.reason, refused.domain) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT", "sidecar")
    assert sorted(refused.fields) == sorted(violated)
    assert all("wanted" in text or "contradicts" in text or "deeper than" in text for _, text in refused.violations)


OTHERS: dict[str, tuple[str, Message, list[str]]] = {
    "identify nobody": ("Identify", tracking_pb2.IdentifyRequest(), ["user_id"]),
    "page by nobody": ("Page", tracking_pb2.PageRequest(name="p"), ["user_id"]),
    "screen by nobody": ("Screen", tracking_pb2.ScreenRequest(name="s"), ["user_id"]),
    "page with a long name": ("Page", tracking_pb2.PageRequest(user_id="u", name="n" * 70_000), ["name"]),
    "group without its id": ("Group", tracking_pb2.GroupRequest(user_id="u"), ["group_id"]),
    "group of nobody": ("Group", tracking_pb2.GroupRequest(group_id="g"), ["user_id"]),
    "alias without the previous id": ("Alias", tracking_pb2.AliasRequest(user_id="u"), ["previous_id"]),
    "alias of nobody": ("Alias", tracking_pb2.AliasRequest(previous_id="p"), ["user_id"]),
    "alias of nothing": ("Alias", tracking_pb2.AliasRequest(), ["previous_id", "user_id"]),
    "traits too many": (
        "Identify",
        tracking_pb2.IdentifyRequest(user_id="u", traits=values({f"t{n}": n for n in range(257)})),
        ["traits"],
    ),
    "group traits too deep": (
        "Group",
        tracking_pb2.GroupRequest(user_id="u", group_id="g", traits=values({"deep": nested(33)})),
        ["traits.deep" + DEEPEST],
    ),
}


@pytest.mark.parametrize(("method", "request_", "violated"), OTHERS.values(), ids=OTHERS.keys())
def test_other_calls_name_every_violation(asker: Asker, method: str, request_: Message, violated: list[str]) -> None:
    refused = asker.refused(TRACKING + method, request_)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert sorted(refused.fields) == sorted(violated)


def test_the_list_by_hand_is_the_library_s() -> None:
    by_hand = deep_field(tracking_pb2.TrackRequest, "properties", 20)
    assert by_hand == tracking_pb2.TrackRequest(properties=values({"deep": nested(20)})).SerializeToString()


@pytest.mark.parametrize("depth", [49, 100, 1000])
@pytest.mark.parametrize("field", ["attributes", "event_tags", "properties"])
def test_nesting_past_the_parser_names_the_field(asker: Asker, field: str, depth: int) -> None:
    rest = tracking_pb2.TrackRequest(event_key="purchase", event_id="e" * 101).SerializeToString()
    refused = asker.refused(TRACK, deep_field(tracking_pb2.TrackRequest, field, depth) + rest)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert {one.partition(".")[0] for one in refused.fields} == {field, "event_id", "user_id"}


@pytest.mark.parametrize(
    "body",
    [b"\xff\xff\xff\xff", b"\x0a\x7fshort", b"\x0a\x02\xc3\x28", b"\x07", b"\x0a"],
    ids=["noise", "cut short", "bad UTF-8", "wire type 7", "length missing"],
)
@pytest.mark.parametrize("method", [DECIDE, TRACK, TRACKING + "Alias", "/sidecar.v1.DatafileService/GetStatus"])
def test_bytes_that_are_no_message_are_malformed(asker: Asker, method: str, body: bytes) -> None:
    refused = asker.refused(method, body)
    assert (refused.code, refused.reason, refused.domain) == ("INVALID_ARGUMENT", "MALFORMED", "sidecar")


def test_message_of_five_mebibytes_is_refused(asker: Asker) -> None:
    refused = asker.refused(DECIDE, decision_pb2.DecideRequest(user_id="u", flag_keys=["f" * 5 * limits.MIB]))
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", ["request"])


def test_message_beyond_the_wire_is_refused_by_grpc(asker: Asker) -> None:
    with pytest.raises(grpc.RpcError) as error:
        asker.send(DECIDE, b"\x0a" * (18 * limits.MIB))
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    asker.send(DECIDE, decide_request())


def test_violations_past_what_metadata_carries_are_counted(asker: Asker) -> None:
    refused = asker.refused(DECIDE, decide_request(options=[99] * 150))
    listed = len(refused.violations)
    assert listed > 40
    assert refused.violations[-1][1].endswith(f"(and {150 - listed} more violations)")


@pytest.mark.parametrize("key", ["k" * 1024, "é" * 500, "\U0001f600" * 250])
def test_violations_of_long_keys_still_reach_the_caller(asker: Asker, key: str) -> None:
    attributes = {f"{n}{key[:-3]}": "x" * 70_000 for n in range(50)}
    refused = asker.refused(DECIDE, decide_request(attributes=attributes))
    assert refused.fields[0].startswith("attributes.")
    assert refused.violations[-1][1].endswith("more violations)")


@pytest.mark.parametrize("name", ["n" * 2**20, "é" * 2**18])
def test_an_unknown_datafile_of_any_length_is_named_shortened(asker: Asker, name: str) -> None:
    refused = asker.refused(DECIDE, decide_request(datafile=name))
    assert (refused.code, refused.reason) == ("NOT_FOUND", "DATAFILE_NOT_FOUND")
    assert refused.metadata["datafile"].startswith(name[:100])


def test_values_at_their_bounds_are_taken(asker: Asker) -> None:
    asker.send(
        DECIDE,
        decide_request(
            user_id="u" * limits.VALUE_BYTES_MAX,
            decision_id="d" * 100,
            attributes={
                "k" * 1024: "v" * limits.VALUE_BYTES_MAX,
                "deep": nested(32),
                **{f"a{n}": n for n in range(254)},
            },
            flag_keys=["f"] * 1000,
        ),
    )
    asker.send(TRACK, track_request(event_id="e" * 100, timestamp=Timestamp(seconds=253402300799)))


def test_config_of_too_many_flags_is_refused(asker: Asker) -> None:
    request = datafile_pb2.GetConfigRequest(flag_keys=["f"] * 1001)
    assert asker.refused("/sidecar.v1.DatafileService/GetConfig", request).fields == ["flag_keys"]


def test_flush_for_a_negative_time_is_refused(asker: Asker) -> None:
    request = tracking_pb2.FlushRequest()
    request.timeout.FromSeconds(-1)
    assert asker.refused(TRACKING + "Flush", request).fields == ["timeout"]


def test_flush_for_longer_than_python_can_say_is_refused_or_cut(asker: Asker) -> None:
    request = tracking_pb2.FlushRequest()
    request.timeout.seconds = 2**62
    assert asker.refused(TRACKING + "Flush", request).fields == ["timeout"]
