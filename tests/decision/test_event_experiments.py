"""What each event measures: the ids of its experiments, for whoever asks whether a conversion can count."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sidecar.decision import load
from tests.decision.building import document


def measured(*events: Any) -> dict[str, tuple[str, ...]]:
    return dict(load(json.dumps(document(events=list(events))).encode()).event_experiments)


def test_an_event_measures_its_experiments_in_their_order() -> None:
    event = {"id": "1", "key": "buy", "experimentIds": ["22", "11"]}
    assert measured(event) == {"buy": ("22", "11")}


@pytest.mark.parametrize(
    "event",
    [
        {"id": "1", "key": "buy", "experimentIds": []},
        {"id": "1", "key": "buy"},
        {"id": "1", "key": "buy", "experimentIds": None},
        {"id": "1", "experimentIds": ["11"]},
        {"id": "1", "key": "buy", "experimentIds": "11"},
        "buy",
    ],
    ids=["none", "absent", "null", "no key", "text", "no object"],
)
def test_an_event_that_measures_nothing_or_cannot_be_read_is_left_out(event: object) -> None:
    other = {"id": "2", "key": "try", "experimentIds": [11]}
    assert measured(event, other) == {"try": ("11",)}


def test_of_two_events_with_one_key_the_last_counts() -> None:
    first = {"id": "1", "key": "buy", "experimentIds": ["11"]}
    assert measured(first, {"id": "2", "key": "buy", "experimentIds": ["22"]}) == {"buy": ("22",)}
    assert measured(first, {"id": "2", "key": "buy", "experimentIds": []}) == {}


def test_the_id_of_an_experiment_is_kept_once_for_all_events() -> None:
    ids = [f"93000007312{number:02}" for number in range(10)]
    events = [{"id": str(number), "key": f"event-{number}", "experimentIds": ids} for number in range(100)]
    kept = measured(*events).values()
    assert len({id(one) for each in kept for one in each}) == len(ids)
