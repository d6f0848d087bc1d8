"""The samples run as a reader would run them: a process of their own, the address as argument."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from clients.python.tests.scripted import Listening

CLIENT = Path(__file__).parents[1]


def test_first_decision_decides_and_tracks(listening: Listening) -> None:
    finished = subprocess.run(  # noqa: S603 - the sample itself
        [sys.executable, str(CLIENT / "samples" / "first_decision.py"), listening.address],
        env={**os.environ, "PYTHONPATH": str(CLIENT / "src")},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    [decided] = listening.script.requests["Decide"]
    [tracked] = listening.script.requests["Track"]
    assert (decided.user_id, list(decided.flag_keys)) == ("user-1", ["checkout_redesign"])
    assert (tracked.event_key, tracked.revenue.amount) == ("purchase", "19.90")
    assert f"purchase: accepted as {tracked.event_id}" in finished.stdout
    assert "checkout_redesign: on, layout classic, because BUCKETED" in finished.stdout
