"""The soak, short: `make soak` runs it for ten minutes and prints its table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.soak import Plan, run

SECONDS = float(os.environ.get("SOAK_SECONDS", "24"))


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 180)
async def test_under_load_kills_and_a_failing_destination_no_accepted_event_is_lost(tmp_path: Path) -> None:
    plan = Plan(seconds=SECONDS, tracks_per_s=100, decides_per_s=300, kill_every_s=5.0, last_life_s=6.0, seed=3)
    outcome = await run(plan, tmp_path)
    print(f"\n{outcome.table()}")  # noqa: T201 - the numbers are what the test is read for
    assert outcome.lost == []
    assert outcome.holds, outcome.table()
    assert outcome.kills >= 3
    assert outcome.accepted > SECONDS * 20
