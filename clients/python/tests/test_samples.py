"""The samples run as a reader would run them: a process of their own, the address as argument."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

from clients.python.tests.scripted import Listening

CLIENT = Path(__file__).parents[1]
SAMPLES = {"first_decision", "first_event", "errors", "testing", "watch"}
"""The same five in every language: clients/DESIGN.md."""


def run(sample: str, *arguments: str) -> list[str]:
    """What a sample prints, line by line."""
    finished = subprocess.run(  # noqa: S603 - the sample itself
        [sys.executable, str(CLIENT / "samples" / f"{sample}.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(CLIENT / "src")},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return finished.stdout.splitlines()


def test_the_samples_are_those_of_every_language() -> None:
    assert {path.stem for path in (CLIENT / "samples").glob("*.py")} == SAMPLES


def test_first_decision_decides(listening: Listening) -> None:
    assert run("first_decision", listening.address) == ["checkout_redesign: on, layout classic, because BUCKETED"]
    [decided] = listening.script.requests["Decide"]
    assert (decided.user_id, list(decided.flag_keys)) == ("user-1", ["checkout_redesign"])


def test_first_event_identifies_and_tracks(listening: Listening) -> None:
    assert run("first_event", listening.address) == ["console: QUEUED", "shop: SKIPPED TOO_LARGE"]
    [tracked] = listening.script.requests["Track"]
    assert (tracked.event_key, tracked.revenue.amount, tracked.revenue.currency) == ("purchase", "19.90", "USD")
    assert [each.user_id for each in listening.script.requests["Identify"]] == ["user-1"]


def test_errors_shows_violations_and_a_default(listening: Listening) -> None:
    refused = error_details_pb2.BadRequest()
    refused.field_violations.add(field="user_id", description="is empty")
    status = status_pb2.Status()
    status.details.add().Pack(refused)
    listening.script.fail(StatusCode.INVALID_ARGUMENT, status)
    assert run("errors", listening.address) == [
        "user_id: is empty",
        "control, because SIDECAR_UNAVAILABLE: UNAVAILABLE",
    ]


def test_testing_holds_as_a_program_and_under_pytest() -> None:
    assert run("testing") == ["both hold"]
    assert pytest.main(["-q", "-p", "no:cacheprovider", str(CLIENT / "samples" / "testing.py")]) == 0


def test_watch_tells_each_revision(listening: Listening) -> None:
    listening.script.changes.put("41")
    listening.script.changes.put("42")
    assert run("watch", listening.address, "2") == [
        "revision 41 from file:/shop.json",
        "revision 42 from file:/shop.json",
    ]
