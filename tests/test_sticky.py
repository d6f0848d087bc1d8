"""Sticky profiles as decisions see them, over a store that a test slows, breaks and mends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import pytest

from sidecar import limits
from sidecar.errors import ProfilesUnavailable
from sidecar.profiles.memory import MemoryProfiles
from sidecar.sticky import Sticky, StickyProfiles

WAIT_S = 0.03


class ShiftedClock:
    """The machine's clock, put forward by tests."""

    ahead_s = 0.0

    def now_ms(self) -> int:
        return int(self.monotonic_s() * 1000)

    def monotonic_s(self) -> float:
        return time.monotonic() + self.ahead_s


class GatedProfiles(MemoryProfiles):
    """A store in memory that holds back users while their gate is shut, and fails while it is `broken`."""

    def __init__(self) -> None:
        super().__init__(users_max=100_000)
        self.shut: set[str] = set()
        self.gate = asyncio.Event()
        self.broken = False
        self.asked: list[str] = []
        self.saved: list[Mapping[str, str]] = []

    async def lookup(self, project_id: str, user_id: str) -> Mapping[str, str]:
        self.asked.append(user_id)
        await self._pass(user_id)
        return await super().lookup(project_id, user_id)

    async def save(self, project_id: str, user_id: str, changed: Mapping[str, str]) -> None:
        await self._pass(user_id)
        self.saved.append(dict(changed))
        await super().save(project_id, user_id, changed)

    async def delete(self, project_id: str, user_id: str, experiment_ids: Collection[str] | None) -> int:
        await self._pass(user_id)
        return await super().delete(project_id, user_id, experiment_ids)

    async def _pass(self, user_id: str) -> None:
        if self.broken:
            raise ProfilesUnavailable("memory", "it is broken")
        if user_id in self.shut:
            await self.gate.wait()


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def store() -> GatedProfiles:
    return GatedProfiles()


@asynccontextmanager
async def running(store: MemoryProfiles, clock: ShiftedClock, wait_s: float = WAIT_S) -> AsyncIterator[StickyProfiles]:
    one = StickyProfiles(store, clock=clock, wait_s=wait_s)
    services = [asyncio.ensure_future(service()) for service in one.services()]
    await asyncio.sleep(0)
    try:
        yield one
    finally:
        for service in services:
            service.cancel()
        ended = await asyncio.gather(*services, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


@pytest.fixture
async def sticky(store: GatedProfiles, clock: ShiftedClock) -> AsyncIterator[StickyProfiles]:
    async with running(store, clock) as one:
        yield one


async def written(sticky: StickyProfiles) -> None:
    async with asyncio.timeout(5):
        while sticky.waiting_saves:
            await asyncio.sleep(0.001)


# --- lookups --------------------------------------------------------------------------------------------------------


async def test_lookup_finds_what_the_store_has(sticky: StickyProfiles, store: GatedProfiles) -> None:
    await store.save("p", "u", {"e": "v"})
    assert await sticky.lookup("p", "u") == Sticky({"e": "v"})
    assert await sticky.lookup("p", "w") == Sticky({})


async def test_slow_store_costs_a_decision_the_bounded_wait_and_gives_a_reason(
    sticky: StickyProfiles, store: GatedProfiles
) -> None:
    store.shut.add("u")
    began_s = time.monotonic()
    found = await sticky.lookup("p", "u")
    assert WAIT_S * 0.9 <= time.monotonic() - began_s < 10 * WAIT_S
    assert found == Sticky(None, "profile store `memory` gave no answer within 30 ms")
    assert sticky.stats.slow == 1


async def test_store_that_fails_gives_a_reason_at_once(sticky: StickyProfiles, store: GatedProfiles) -> None:
    store.broken = True
    assert await sticky.lookup("p", "u") == Sticky(None, "profile store `memory` gave no answer: it is broken")
    assert (sticky.stats.failed, sticky.stats.slow) == (1, 0)


async def test_users_do_not_wait_for_each_other(sticky: StickyProfiles, store: GatedProfiles) -> None:
    store.shut.add("slow")
    slow = asyncio.ensure_future(sticky.lookup("p", "slow"))
    await asyncio.sleep(0)
    assert [await sticky.lookup("p", f"user-{number}") for number in range(50)] == [Sticky({})] * 50
    assert not slow.done()
    assert (await slow).problem


async def test_lookups_of_one_user_at_the_same_time_are_one(sticky: StickyProfiles, store: GatedProfiles) -> None:
    store.shut.add("u")
    waiting = [asyncio.ensure_future(sticky.lookup("p", "u")) for _ in range(20)]
    await asyncio.sleep(0.001)
    store.gate.set()
    assert await asyncio.gather(*waiting) == [Sticky({})] * 20
    assert store.asked == ["u"]
    assert (sticky.stats.lookups, sticky.stats.shared) == (20, 19)


async def test_who_joins_a_lookup_that_is_late_does_not_wait_again(store: GatedProfiles, clock: ShiftedClock) -> None:
    store.shut.add("u")
    async with running(store, clock, wait_s=0.3) as sticky:
        await sticky.lookup("p", "u")
        began_s = time.monotonic()
        assert (await sticky.lookup("p", "u")).problem
        assert time.monotonic() - began_s < 0.15


async def test_caller_who_goes_away_takes_nothing_from_the_others(sticky: StickyProfiles, store: GatedProfiles) -> None:
    store.shut.add("u")
    first, second = (asyncio.ensure_future(sticky.lookup("p", "u")) for _ in range(2))
    await asyncio.sleep(0.001)
    first.cancel()
    store.gate.set()
    assert await second == Sticky({})


async def test_event_loop_that_was_busy_is_not_held_against_the_store(
    sticky: StickyProfiles, store: GatedProfiles
) -> None:
    store.shut.add("u")
    looking = asyncio.ensure_future(sticky.lookup("p", "u"))
    await asyncio.sleep(0.001)
    time.sleep(3 * WAIT_S)  # noqa: ASYNC251 - the loop being blocked is what the test is about
    asyncio.get_running_loop().call_later(WAIT_S / 4, store.gate.set)
    assert await looking == Sticky({})


async def test_lookup_before_and_after_the_services_run_goes_on_without(
    store: GatedProfiles, clock: ShiftedClock
) -> None:
    async with running(store, clock) as one:
        pass
    assert "starting or stopping" in (await one.lookup("p", "u")).problem


# --- a store that is down -------------------------------------------------------------------------------------------


async def test_store_that_is_down_is_left_alone_and_no_decision_waits(
    sticky: StickyProfiles, store: GatedProfiles
) -> None:
    store.shut.update(f"user-{number}" for number in range(100))
    for number in range(limits.PROFILE_FAILURES_MAX):
        await sticky.lookup("p", f"user-{number}")
    assert sticky.resting
    began_s = time.monotonic()
    for number in range(3, 100):
        assert "was not asked" in (await sticky.lookup("p", f"user-{number}")).problem
    assert time.monotonic() - began_s < 97 * WAIT_S / 4
    assert len(store.asked) == limits.PROFILE_FAILURES_MAX
    assert sticky.stats.not_asked == 97


async def test_store_left_alone_is_tried_with_one_lookup_and_less_and_less_often(
    sticky: StickyProfiles, store: GatedProfiles, clock: ShiftedClock
) -> None:
    store.broken = True
    for _ in range(limits.PROFILE_FAILURES_MAX):
        await sticky.lookup("p", "u")
    for rest_s, asked in ((0.25, 1), (0.25, 0), (0.25, 1), (1.0, 1), (2.0, 1), (4.0, 1), (5.0, 1), (5.0, 1)):
        clock.ahead_s += rest_s
        before = len(store.asked)
        await asyncio.gather(*(sticky.lookup("p", f"user-{number}") for number in range(10)))
        assert len(store.asked) - before == asked, f"after {rest_s} s"


async def test_store_that_answers_its_trial_is_used_again(
    sticky: StickyProfiles, store: GatedProfiles, clock: ShiftedClock
) -> None:
    store.broken = True
    for _ in range(limits.PROFILE_FAILURES_MAX):
        await sticky.lookup("p", "u")
    store.broken = False
    clock.ahead_s += limits.PROFILE_REST_MIN_S
    assert await sticky.lookup("p", "u") == Sticky({})
    assert not sticky.resting
    assert await asyncio.gather(*(sticky.lookup("p", f"u{number}") for number in range(10))) == [Sticky({})] * 10


async def test_two_failures_between_answers_leave_the_store_in_use(
    sticky: StickyProfiles, store: GatedProfiles
) -> None:
    for _ in range(5):
        store.broken = True
        await sticky.lookup("p", "u")
        await sticky.lookup("p", "u")
        store.broken = False
        assert await sticky.lookup("p", "u") == Sticky({})


async def test_lookups_that_wait_are_bounded(
    sticky: StickyProfiles, store: GatedProfiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROFILE_LOOKUPS_MAX", 2)
    store.shut.update("abc")
    found = await asyncio.gather(*(sticky.lookup("p", user) for user in "abc"))
    assert found[2].problem == "profile store `memory` was not asked: 2 lookups wait for it"


# --- saves ----------------------------------------------------------------------------------------------------------


async def test_saved_choice_is_seen_at_once_and_written_soon(sticky: StickyProfiles, store: GatedProfiles) -> None:
    sticky.save_later("p", "u", {"e": "v"})
    assert await sticky.lookup("p", "u") == Sticky({"e": "v"})
    await written(sticky)
    assert await store.lookup("p", "u") == {"e": "v"}
    assert sticky.stats.saves == 1


async def test_changes_of_one_user_are_written_together(sticky: StickyProfiles, store: GatedProfiles) -> None:
    for number in range(5):
        sticky.save_later("p", "u", {f"e{number}": "v", "e": str(number)})
    await written(sticky)
    assert store.saved == [{**{f"e{number}": "v" for number in range(5)}, "e": "4"}]


async def test_change_that_could_not_be_written_is_seen_meanwhile_and_written_later(
    sticky: StickyProfiles, store: GatedProfiles
) -> None:
    store.broken = True
    sticky.save_later("p", "u", {"e1": "v", "e2": "v"})
    async with asyncio.timeout(5):
        while not sticky.stats.saves_failed:
            await asyncio.sleep(0.001)
    sticky.save_later("p", "u", {"e2": "w"})
    down = await sticky.lookup("p", "u")
    assert down.variations == {"e1": "v", "e2": "w"}
    assert down.problem
    store.broken = False
    await written(sticky)
    assert await store.lookup("p", "u") == {"e1": "v", "e2": "w"}


async def test_changes_that_wait_are_bounded_and_the_rest_is_counted(
    store: GatedProfiles, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROFILE_SAVES_MAX", 3)
    one = StickyProfiles(store, clock=clock)
    for number in range(5):
        one.save_later("p", f"user-{number}", {"e": "v"})
    one.save_later("p", "user-0", {"e2": "v"})
    assert (one.waiting_saves, one.stats.saves_dropped) == (3, 2)
    await one.close()
    assert [await store.lookup("p", f"user-{number}") for number in (0, 4)] == [{"e": "v", "e2": "v"}, {}]


async def test_close_writes_what_waits_and_counts_what_cannot_be_written(
    store: GatedProfiles, clock: ShiftedClock
) -> None:
    good, bad = StickyProfiles(store, clock=clock), StickyProfiles(store, clock=clock)
    for number in range(300):
        good.save_later("p", f"user-{number}", {"e": "v"})
    await good.close()
    assert len(store.saved) == 300
    bad.save_later("p", "u", {"e": "v"})
    store.broken = True
    await bad.close()
    assert bad.stats.saves_dropped == 1


# --- by hand --------------------------------------------------------------------------------------------------------


async def test_merge_by_hand_comes_after_what_waited_and_answers_with_all(
    store: GatedProfiles, clock: ShiftedClock
) -> None:
    one = StickyProfiles(store, clock=clock)
    one.save_later("p", "u", {"e1": "v", "e2": "v"})
    assert await one.merge("p", "u", {"e2": "w"}) == {"e1": "v", "e2": "w"}
    assert one.waiting_saves == 0


async def test_forgotten_experiment_does_not_come_back_with_a_late_save(
    sticky: StickyProfiles, store: GatedProfiles
) -> None:
    sticky.save_later("p", "u", {"e1": "v", "e2": "v"})
    assert await sticky.forget("p", "u", ["e1"]) == 1
    await written(sticky)
    assert await sticky.lookup("p", "u") == Sticky({"e2": "v"})
    assert await sticky.forget("p", "u", None) == 1
    assert await sticky.read("p", "u") == {}


async def test_lookup_that_began_before_a_change_by_hand_answers_none_that_begins_after_it(
    sticky: StickyProfiles, store: GatedProfiles
) -> None:
    await store.save("p", "u", {"e": "v"})
    store.shut.add("u")
    early = asyncio.ensure_future(sticky.lookup("p", "u"))
    await asyncio.sleep(0.001)
    store.shut.clear()
    await sticky.forget("p", "u", None)
    assert await sticky.lookup("p", "u") == Sticky({})
    assert len(store.asked) == 2
    store.gate.set()
    await early


async def test_store_that_is_down_is_an_error_to_who_asks_by_hand_and_loses_no_change(
    store: GatedProfiles, clock: ShiftedClock
) -> None:
    one = StickyProfiles(store, clock=clock)
    one.save_later("p", "u", {"e": "v"})
    store.broken = True
    for asked in (one.read("p", "u"), one.merge("p", "u", {"f": "v"}), one.forget("p", "u", None)):
        with pytest.raises(ProfilesUnavailable, match="it is broken"):
            await asked
    store.broken = False
    await one.close()
    assert await store.lookup("p", "u") == {"e": "v"}
