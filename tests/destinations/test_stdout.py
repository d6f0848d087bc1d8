"""JSON lines on a stream."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import Secret
from sidecar.destinations.catalog import TYPES
from sidecar.destinations.stdout import StdoutConfig, StdoutDestination
from sidecar.events.model import EventKind
from sidecar.retry import Verdict
from tests.destinations.batches import a_batch
from tests.events.samples import FACTS, a_track, one_of_each


async def test_each_event_is_a_line_of_the_stream() -> None:
    stream = io.BytesIO()
    destination = StdoutDestination("out", StdoutConfig(), stream)
    assert all(destination.takes(kind) for kind in EventKind)
    assert (await destination.send(a_batch(destination, *one_of_each()))).verdict is Verdict.DELIVERED
    assert len([json.loads(line) for line in stream.getvalue().splitlines()]) == 7
    assert stream.getvalue().endswith(b"}\n")


async def test_a_closed_stream_is_tried_again() -> None:
    stream = io.BytesIO()
    destination = StdoutDestination("out", StdoutConfig(), stream)
    stream.close()
    assert (await destination.send(a_batch(destination, a_track()))).verdict is Verdict.RETRY


def test_integrations_switch_it_off_by_its_name() -> None:
    destination = StdoutDestination("out", StdoutConfig(), io.BytesIO())
    assert destination.route(a_track(integrations={"out": False}), FACTS).reason == "INTEGRATIONS"
    assert destination.route(a_track(integrations={"All": False}), FACTS).reason == "INTEGRATIONS"
    assert destination.route(a_track(integrations={"All": False, "out": {}}), FACTS).reason == ""


@pytest.mark.parametrize(
    ("kind", "section"),
    [
        ("optimizely", {"batch_events_max": 0}),
        ("optimizely", {"timeout_s": 0}),
        ("segment", {"write_key": Secret("k"), "timeout_s": 0}),
        ("webhook", {"endpoint": "http://h/", "batch_events_max": 0}),
        ("webhook", {"endpoint": "http://h/", "timeout_s": 0}),
        ("file", {"path": Path("x"), "batch_events_max": 0}),
        ("file", {"path": Path("x"), "files_max": 0}),
        ("stdout", {"batch_events_max": 0}),
    ],
)
def test_a_bound_of_nothing_is_refused_in_every_section(kind: str, section: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is 0, wanted"):
        TYPES[kind].section(**section)


def test_the_catalog_names_every_type() -> None:
    assert set(TYPES) == {"optimizely", "segment", "webhook", "file", "stdout"}
