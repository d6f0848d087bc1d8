"""A process that is killed while it appends: whatever was acknowledged is there afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.outbox import Durability
from tests.outbox.conftest import Opens
from tests.outbox.records import bodies, deliver, kill

WRITER = """
import asyncio, sys
from pathlib import Path
from sidecar.outbox import DestinationBounds, Durability, SqliteOutbox
from tests.outbox.records import TurnedClock, record

async def main():
    outbox = await SqliteOutbox.open(
        Path(sys.argv[1]), durability=Durability(sys.argv[2]),
        destinations={"a": DestinationBounds(), "b": DestinationBounds()}, clock=TurnedClock(),
    )
    async def caller(first):
        for number in range(first, 1_000_000, 8):
            await outbox.append(record(b"%d" % number, routes=(("a", 1), ("b", 1)), ids=(str(number),)))
            sys.stdout.write(f"{number}\\n")
            sys.stdout.flush()
    await asyncio.gather(*(caller(first) for first in range(8)))

asyncio.run(main())
"""


def acknowledged(directory: Path, durability: Durability, kill_after: int) -> Iterator[int]:
    """Numbers that a writing process saw committed; it is killed after that many, while it writes on."""
    command = [sys.executable, "-c", WRITER, str(directory), durability.value]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        # Read while it runs: a full pipe would stop the writer, and the kill would find it idle.
        for seen, line in enumerate(writer.stdout):
            if seen == kill_after:
                writer.send_signal(signal.SIGKILL)
            if line.endswith("\n"):
                yield int(line)


@pytest.mark.parametrize(
    ("durability", "kill_after"), [(Durability.PROCESS, 3), (Durability.PROCESS, 700), (Durability.POWER, 300)]
)
async def test_every_acknowledged_event_survives_a_kill(
    opened: Opens, tmp_path: Path, durability: Durability, kill_after: int
) -> None:
    numbers = list(acknowledged(tmp_path, durability, kill_after))
    assert len(numbers) > kill_after
    outbox = await opened(durability)
    for destination in ("a", "b"):
        stored = [int(body) for body in await bodies(outbox, destination)]
        assert set(numbers) <= set(stored)
        assert len(stored) == len(set(stored)) == outbox.pending(destination)
    assert all(counts.conserved for counts in await outbox.counts())
    await kill(outbox)
    await deliver(outbox, "a")
    assert outbox.pending("a") == 0
