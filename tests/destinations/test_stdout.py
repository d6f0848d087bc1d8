"""JSON lines on a stream."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
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


STOPPED_AT_A_FULL_PIPE = """
import asyncio

from sidecar.destinations.catalog import TYPES
from sidecar.destinations.http import HttpClient
from sidecar.destinations.stdout import StdoutConfig
from tests.destinations.batches import a_batch
from tests.events.samples import a_track

async def main() -> None:
    destination = TYPES["stdout"].make("out", StdoutConfig(), HttpClient())
    sending = asyncio.create_task(destination.send(a_batch(destination, a_track(properties={"t": "x" * 500_000}))))
    await asyncio.sleep(0.2)
    sending.cancel()

asyncio.run(main())
"""


def test_a_full_pipe_that_nobody_reads_does_not_hold_up_the_end_of_the_process() -> None:
    reader, writer = os.pipe()
    try:
        process = subprocess.Popen([sys.executable, "-c", STOPPED_AT_A_FULL_PIPE], stdout=writer)
        try:
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
    finally:
        os.close(reader)
        os.close(writer)


async def test_what_a_pipe_takes_in_pieces_arrives_whole() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with os.fdopen(writer, "wb", buffering=0) as stream, os.fdopen(reader, "rb") as pipe:
        destination = StdoutDestination("out", StdoutConfig(), stream)
        batch = a_batch(destination, a_track(properties={"t": "x" * 500_000}), a_track())
        sending = asyncio.create_task(destination.send(batch))
        lines = [await asyncio.to_thread(pipe.readline) for _ in range(2)]
        assert (await sending).verdict is Verdict.DELIVERED
        assert [line.rstrip(b"\n") for line in lines] == list(batch.rendered)


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
