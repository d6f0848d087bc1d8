"""Simple Tracks are judged once a key and size; what they are answered is what each would be by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.config import Secret
from sidecar.destinations.optimizely import OptimizelyConfig, OptimizelyDestination
from sidecar.destinations.segment import SegmentConfig, SegmentDestination
from sidecar.destinations.webhook import WebhookConfig, WebhookDestination
from sidecar.errors import RequestInvalid
from sidecar.events.money import are_simple
from sidecar.limits import JUDGED_KEY_CHARACTERS_MAX, JUDGED_TRACKS_KEPT_MAX
from sidecar.telemetry import Telemetry
from sidecar.tracker import Project, Tracker
from sidecar.values import Money
from tests.events.samples import FACTS, a_track
from tests.test_tracker import AppendedOutbox, Judging, a_tracker

NOBODY: Any = None
"""No client: where an event goes is said without one."""
OPTIMIZELY = OptimizelyDestination("optimizely", OptimizelyConfig(), NOBODY)
SEGMENT = SegmentDestination("segment", SegmentConfig(write_key=Secret("k")), NOBODY)
WEBHOOK = WebhookDestination("hook", WebhookConfig(endpoint="http://127.0.0.1:9"), NOBODY)

SIMPLE = st.text(max_size=3) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
TAGS = st.dictionaries(
    st.sampled_from(["revenue", "value", "coupon", "size"]),
    SIMPLE | st.none() | st.floats() | st.lists(st.integers(), max_size=1),
    max_size=3,
)


def simple_tracker() -> Tracker:
    return a_tracker(AppendedOutbox(), Telemetry(), OPTIMIZELY, SEGMENT, WEBHOOK)


def project() -> Project:
    return Project(name="one", facts=FACTS, encoded=None)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "event_key": st.sampled_from(["purchase", "sign_up", "unknown"]),
                "event_tags": TAGS,
                "properties": st.sampled_from([{}, {}, {}, {"revenue": 3}, {"a": [1]}]),
                "integrations": st.sampled_from([{}, {}, {}, {"segment": False}, {"All": False}]),
                "context": st.sampled_from([{}, {"library": "x"}, {"integrations": {"optimizely": False}}]),
                "request_bytes": st.sampled_from([1, 60, 300, 5_000, 2**17, 2**20]),
                "historical": st.booleans(),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_each_is_answered_as_by_itself_whatever_came_before(asked: list[dict[str, Any]]) -> None:
    tracker, one = simple_tracker(), project()
    for changed in asked:
        track = a_track(**changed)
        judged = tracker._judge_simple(track, one)
        if judged is not None:
            assert judged == tracker.judge(track, one)


def test_most_tracks_are_simple_and_judged_once() -> None:
    tracker, one = simple_tracker(), project()
    tags = {"revenue": 4200, "coupon": "spring", "value": 3, "gift": True}
    first, second = (tracker._judge_simple(a_track(request_bytes=60, event_tags=tags), one) for _ in range(2))
    assert first is not None
    assert first is second
    assert first.queued == ("optimizely", "segment", "hook")


@pytest.mark.parametrize(
    "changed",
    [
        {"event_tags": {"revenue": "4200"}},
        {"event_tags": {"revenue": True}},
        {"event_tags": {"revenue": -(2**63)}},
        {"event_tags": {"value": "3"}},
        {"event_tags": {"size": [1]}},
        {"properties": {"revenue": 3}},
        {"revenue": Money(amount=NOBODY, currency="USD")},
        {"integrations": {"segment": False}},
        {"context": {"integrations": {}}},
        {"historical": True},
        {"request_bytes": 0},
        {"event_key": "unknown"},
    ],
)
def test_what_is_not_simple_is_looked_at(changed: dict[str, Any]) -> None:
    tracker, one = simple_tracker(), project()
    assert tracker._judge_simple(a_track(**{"request_bytes": 60, **changed}), one) is None
    assert not any(one.judged.values())


@given(TAGS)
def test_simple_tags_are_never_refused(tags: dict[str, Any]) -> None:
    if are_simple(tags):
        assert OPTIMIZELY.check(a_track(event_tags=tags), FACTS) == []
        assert OPTIMIZELY.route(a_track(event_tags=tags), FACTS).reason == ""


async def test_a_refusal_is_still_a_refusal() -> None:
    tracker, one = simple_tracker(), project()
    with pytest.raises(RequestInvalid):
        tracker.accept(a_track(request_bytes=60, event_tags={"revenue": "much"}), b"", one, id_chosen=False)


def test_what_is_kept_is_bounded() -> None:
    one = project()
    tracker = a_tracker(AppendedOutbox(), Telemetry(), WEBHOOK)
    for number in range(JUDGED_TRACKS_KEPT_MAX + 5):
        assert tracker._judge_simple(a_track(event_key=f"key-{number}", request_bytes=60), one) is not None
    assert len(one.judged) == 5
    assert tracker._judge_simple(a_track(event_key="k" * (JUDGED_KEY_CHARACTERS_MAX + 1), request_bytes=60), one)
    assert len(one.judged) == 5


def test_a_destination_that_looks_at_each_is_asked_each_time() -> None:
    class Choosy(Judging):
        def route_alike(self, _sort: Any, _facts: Any) -> None:
            return None

    one = project()
    assert a_tracker(AppendedOutbox(), Telemetry(), Choosy("x"))._judge_simple(a_track(request_bytes=60), one) is None
