"""Rules before a destination: every mistake in the section by its path, and what the destination behind sees."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sidecar import config
from sidecar.config import Secret
from sidecar.destinations.http import HttpClient
from sidecar.destinations.optimizely import OptimizelyConfig, OptimizelyDestination
from sidecar.destinations.ruled import RuledDestination
from sidecar.destinations.rules import RulesSection
from sidecar.destinations.segment import SegmentConfig, SegmentDestination
from sidecar.destinations.webhook import WebhookConfig, WebhookDestination
from sidecar.errors import ConfigInvalid
from sidecar.events.model import EventKind
from sidecar.ports import Destination, EventSort
from sidecar.retry import Verdict
from sidecar.values import Outcome, OutcomeState
from tests.collector import Collector
from tests.destinations.batches import a_batch
from tests.events.samples import FACTS, a_page, a_track, an_alias, an_identify, an_impression

KEY = "a-key-of-32-bytes-for-the-hashes"
PLACE = "destinations[1].rules"


def problems(section: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigInvalid) as invalid:
        config.read(RulesSection, section, PLACE)
    return invalid.value.problems


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"allow_kinds": ["tracks"]}, ".allow_kinds[0] is `tracks`, wanted one of `impression`, `track`"),
        ({"deny_events": ["ok", "a*b"]}, ".deny_events[1] is `a*b`, wanted an event key, or a beginning and one `*`"),
        ({"allow_events": [""]}, ".allow_events[0] is ``, wanted an event key"),
        ({"sample_percent": 100.5}, ".sample_percent is 100.5, wanted 0 to 100"),
        ({"sample_percent": -1}, ".sample_percent is `-1`, wanted a number, not negative"),
        ({"drop": ["properties..a"]}, ".drop[0] is `properties..a`, which is no path at character 12, wanted one as"),
        ({"drop": ["email"]}, ".drop[0] begins with `email`, wanted one of `anonymous_id`, `attributes`"),
        ({"drop": ["*.email"]}, ".drop[0] begins with `*`, wanted one of"),
        ({"drop": ["user_id.x"]}, ".drop[0] goes into `user_id`, which is one value"),
        ({"drop": ["group_id"]}, ".drop[0] is `group_id`, which an event cannot go without"),
        ({"drop": ["context.integrations.All"]}, ".drop[0] changes `integrations`, which say where an event goes"),
        ({"drop": ["context.ip", "context.ip"]}, ".drop[1] is `context.ip`, which drop[0] names already"),
        ({"hash": ["revenue"], "hash_key": KEY}, ".hash[0] is an amount, wanted it dropped"),
        ({"hash": ["event_tags.value"], "hash_key": KEY}, ".hash[0] is an amount, wanted it dropped"),
        ({"hash": ["user_id"]}, ".hash_key is missing, wanted a key for what `hash` names"),
        ({"hash_key": KEY}, ".hash_key is given without hash"),
        ({"hash": ["user_id"], "hash_key": "hunter2"}, ".hash_key is short, wanted at least 16 bytes"),
        ({"rename": {"properties.email": ""}}, ".rename.properties.email is ``, wanted a key of 1 to 1024 bytes"),
        ({"rename": {"properties": "x"}}, ".rename.properties names no key of a map"),
        ({"rename": {"properties.a[]": "x"}}, ".rename.properties.a[] names no key of a map"),
        ({"rename": {"properties.*": "x"}}, ".rename.properties.* names no key of a map"),
        (
            {"rename": {"traits.a": "x", "traits.b": "x"}},
            ".rename.traits.b is `x`, as rename.traits.a is, wanted each new key once",
        ),
        ({"drop": ["traits.a"], "rename": {"traits.a": "b"}}, ".rename.traits.a is dropped by drop[0]"),
        ({"context": {"when": {1, 2}}}, ".context.when is of a kind that an event cannot hold"),
        ({"context": {"a": [1, {"b": float("inf")}]}}, ".context.a[1].b is of a kind that an event cannot hold"),
        ({"context": {"integrations": "none"}}, ".context.integrations is no mapping"),
        ({"renames": {}}, ".renames is unknown; did you mean `rename`?"),
    ],
)
def test_mistake_is_said_with_its_path(section: dict[str, Any], problem: str) -> None:
    (said,) = problems(section)
    assert said.startswith(PLACE + problem)
    assert "hunter2" not in said


def test_every_mistake_is_said_at_once() -> None:
    assert len(problems({"drop": ["x"], "hash": ["y"], "sample_percent": 101, "allow_events": ["*a"]})) == 5


def test_nesting_without_end_is_a_mistake_and_no_crash() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    (said,) = problems({"context": endless})
    assert "is nested more than 32 deep" in said


def test_key_shows_itself_in_neither_section_nor_rules() -> None:
    section = RulesSection(hash=("user_id",), hash_key=Secret(KEY))
    assert KEY not in repr(section) + repr(section.compiled())


# --- what the destination behind sees ---------------------------------------------------------------------------------


def ruled(inner: Destination, **section: Any) -> RuledDestination:
    if "hash" in section:
        section["hash_key"] = Secret(KEY)
    return RuledDestination(inner, RulesSection(**section).compiled())


def optimizely(client: HttpClient, **section: Any) -> RuledDestination:
    return ruled(OptimizelyDestination("optimizely", OptimizelyConfig(), client), **section)


def segment(client: HttpClient, **section: Any) -> RuledDestination:
    config_ = SegmentConfig(write_key=Secret("k"), impressions=True)
    return ruled(SegmentDestination("segment", config_, client), **section)


def route(destination: Destination, event: Any) -> str:
    outcome = destination.route(event, FACTS)
    assert outcome.destination == destination.name
    assert (outcome.state is OutcomeState.SKIPPED) == (outcome.reason.isupper() and "NOT_SENT" not in outcome.reason)
    return outcome.reason


async def test_filters_skip_before_the_destination_is_asked(client: HttpClient) -> None:
    destination = optimizely(client, deny_events=("internal_*",), deny_kinds=(EventKind.IMPRESSION,))
    assert route(destination, a_track(event_key="internal_ping")) == "FILTERED", "though no datafile knows this key"
    assert route(destination, an_impression()) == "FILTERED"
    assert route(destination, a_track(event_key="unknown")) == "EVENT_KEY_NOT_FOUND"
    assert route(destination, a_track()) == ""
    assert [kind for kind in EventKind if destination.takes(kind)] == [EventKind.TRACK]


async def test_sample_skips_what_would_be_queued_and_nothing_else(client: HttpClient) -> None:
    destination = optimizely(client, sample_percent=0)
    assert route(destination, a_track()) == "SAMPLED_OUT"
    assert route(destination, an_impression()) == "SAMPLED_OUT"
    assert route(destination, a_track(event_key="unknown")) == "EVENT_KEY_NOT_FOUND"
    assert route(destination, an_identify()) == "KIND_NOT_TAKEN"
    assert route(optimizely(client, sample_percent=100), a_track()) == ""


async def test_event_without_an_id_left_is_skipped(client: HttpClient) -> None:
    destination = segment(client, drop=("user_id",))
    assert route(destination, a_track()) == "NO_USER"
    assert route(destination, an_impression()) == "NO_USER"
    assert route(destination, a_track(anonymous_id="anon")) == ""
    assert route(destination, an_alias(anonymous_id="anon")) == "NO_USER"
    with pytest.raises(ValueError, match="no id left"):
        destination.render(a_track(), FACTS)


async def test_size_counts_as_the_event_will_be_sent(client: HttpClient) -> None:
    large = a_track(properties={"blob": "x" * 40_000, "sku": "s"})
    assert route(segment(client), large) == "TOO_LARGE"
    assert route(segment(client, drop=("properties.blob",)), large) == ""
    assert route(segment(client, context={"blob": "x" * 40_000}), a_track()) == "TOO_LARGE"
    hashed = a_track(properties={"ids": ["1"] * 500})
    assert route(segment(client), hashed) == ""
    assert route(segment(client, hash=("properties.ids",)), hashed) == "TOO_LARGE"


async def test_dropped_amount_contradicts_nothing(client: HttpClient) -> None:
    both = a_track(event_tags={"revenue": 1}, properties={"revenue": 5})
    assert [one.field for one in optimizely(client).check(both, FACTS)] == ["event_tags.revenue"]
    assert not optimizely(client, drop=("event_tags.revenue",)).check(both, FACTS)


async def test_optimizely_gets_hashed_visitors_renamed_attributes_and_no_dropped_tag(client: HttpClient) -> None:
    destination = optimizely(
        client,
        hash=("user_id",),
        rename={"attributes.tier": "plan", "properties.total": "revenue"},
        drop=("attributes.age", "event_tags.note"),
    )
    track = a_track(
        attributes={"tier": "gold", "age": 7}, event_tags={"note": "n", "sku": "s"}, properties={"total": "19.99"}
    )
    visitor = json.loads(destination.render(track, FACTS))
    assert visitor["visitor_id"] == destination.render(track, FACTS).decode().split('"')[3]
    assert len(visitor["visitor_id"]) == 64
    assert [(one["key"], one["value"]) for one in visitor["attributes"]] == [("plan", "gold")]
    assert visitor["snapshots"][0]["events"][0]["tags"] == {"sku": "s", "revenue": 1999}
    shown = json.loads(destination.render(an_impression(attributes={"tier": "gold"}), FACTS))
    assert shown["visitor_id"] == visitor["visitor_id"], "an impression and a conversion stay one visitor's"


async def test_constant_integrations_are_said_where_the_event_is_silent(client: HttpClient) -> None:
    destination = segment(client, context={"integrations": {"Optimizely": False}})
    assert json.loads(destination.render(a_track(), FACTS))["integrations"] == {"Optimizely": False}
    own = a_track(integrations={"Optimizely": True})
    assert json.loads(destination.render(own, FACTS))["integrations"] == {"Optimizely": True}


async def test_sort_of_events_is_answered_only_when_no_rule_reads_values(client: HttpClient) -> None:
    sort = EventSort(EventKind.TRACK, "purchase", historical=False, bytes_at_most=2_000)
    queued = Outcome("segment", OutcomeState.QUEUED)
    filtered = Outcome("segment", OutcomeState.SKIPPED, "FILTERED")
    assert segment(client, deny_events=("x",)).route_alike(sort, FACTS) == queued
    assert segment(client, deny_events=("purch*",)).route_alike(sort, FACTS) == filtered
    assert segment(client, deny_events=("purch*",), sample_percent=5).route_alike(sort, FACTS) == filtered
    for section in ({"sample_percent": 5.0}, {"drop": ("user_id",)}, {"context": {"a": 1}}):
        assert segment(client, **section).route_alike(sort, FACTS) is None


async def test_batch_goes_out_as_the_destination_behind_sends_it(collector: Collector, client: HttpClient) -> None:
    inner = WebhookDestination("hook", WebhookConfig(endpoint=collector.url), client)
    destination = ruled(inner, drop=("context.ip",), context={"service": "shop"})
    batch = a_batch(destination, a_track(context={"ip": "::1"}), a_page())
    assert (await destination.send(batch)).verdict is Verdict.DELIVERED
    assert [event["context"] for event in collector.received[0].json()] == [{"service": "shop"}] * 2
    assert destination.limits is inner.limits
    assert destination.batch_key(FACTS) == inner.batch_key(FACTS)
    assert destination.envelope_bytes(FACTS) == inner.envelope_bytes(FACTS)
    await destination.close()
