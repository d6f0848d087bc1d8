"""Events and facts with plain values, each field open to be changed: `a_track(event_key="x", user_id="u")`."""

from __future__ import annotations

from typing import Any

from sidecar.events.model import (
    Alias,
    Event,
    Group,
    Identify,
    Impression,
    Origin,
    Page,
    ProjectFacts,
    Screen,
    Track,
)

FACTS = ProjectFacts(
    account_id="222",
    project_id="111",
    revision="7",
    attribute_ids={"plan": "a1", "age": "a2"},
    event_ids={"purchase": "e1", "sign_up": "e2"},
)
EVENT_ID = "3f6b1c1e-0a52-4a0e-9d5b-6a8f0f1c2d3e"
TIME_MS = 1_772_366_400_250
TIME = "2026-03-01T12:00:00.250Z"

_ORIGIN_FIELDS = set(Origin.__struct_fields__)


def an_origin(**changed: Any) -> Origin:
    plain: dict[str, Any] = {
        "event_id": EVENT_ID,
        "time_ms": TIME_MS,
        "received_ms": TIME_MS + 1_000,
        "user_id": "ada",
    }
    return Origin(**plain | changed)


def _made(kind: Any, plain: dict[str, Any], changed: dict[str, Any]) -> Any:
    origin = {name: value for name, value in changed.items() if name in _ORIGIN_FIELDS}
    own = {name: value for name, value in changed.items() if name not in _ORIGIN_FIELDS}
    return kind(origin=an_origin(**origin), **plain | own)


def a_track(**changed: Any) -> Track:
    made: Track = _made(Track, {"event_key": "purchase"}, changed)
    return made


def an_impression(**changed: Any) -> Impression:
    plain = {
        "decision_id": "d-1",
        "flag_key": "checkout",
        "rule_key": "exp_a",
        "rule_type": "feature-test",
        "variation_key": "on",
        "enabled": True,
        "campaign_id": "L7",
        "experiment_id": "700",
        "experiment_key": "exp_a",
        "variation_id": "701",
    }
    made: Impression = _made(Impression, plain, changed)
    return made


def an_identify(**changed: Any) -> Identify:
    made: Identify = _made(Identify, {"traits": {"email": "ada@example.com"}}, changed)
    return made


def a_page(**changed: Any) -> Page:
    plain = {"name": "Docs", "category": "help", "properties": {"url": "/docs"}}
    made: Page = _made(Page, plain, changed)
    return made


def a_screen(**changed: Any) -> Screen:
    made: Screen = _made(Screen, {"name": "Home", "properties": {"tab": 1}}, changed)
    return made


def a_group(**changed: Any) -> Group:
    made: Group = _made(Group, {"group_id": "acme", "traits": {"plan": "gold"}}, changed)
    return made


def an_alias(**changed: Any) -> Alias:
    made: Alias = _made(Alias, {"previous_id": "anonymous-1"}, changed)
    return made


def one_of_each() -> list[Event]:
    return [an_impression(), a_track(), an_identify(), a_page(), a_screen(), a_group(), an_alias()]
