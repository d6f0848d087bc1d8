"""Twin of sidecar/delivery/turns.py."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from sidecar.delivery.turns import REST_S, Turns


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The sleeps, none of which is waited for."""
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return sleeps


async def test_a_lane_rests_between_slices_while_decisions_are_made(slept: list[float]) -> None:
    made = count(1)
    lane = Turns(lambda: next(made))
    await lane.pass_on()
    assert slept == [REST_S]


async def test_a_lane_goes_on_after_one_turn_of_the_loop_when_no_decision_is_made(slept: list[float]) -> None:
    lane = Turns(lambda: 7)
    await lane.pass_on()
    assert slept == [0]


async def test_a_slice_is_over_when_its_time_is_and_begins_anew_after_the_others_turn() -> None:
    lane = Turns(lambda: 0)
    lane.begin()
    while not lane.over():
        await asyncio.sleep(0)
    await lane.pass_on()
    assert not lane.over()
