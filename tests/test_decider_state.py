"""`Decide` with what it reads and tells besides the datafile: forced variations, profiles, notifications, exposures."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sidecar import limits
from sidecar.datafiles import Snapshot
from sidecar.datafiles.build import Compiler
from sidecar.decider import Decider
from sidecar.decision import load
from sidecar.exposures import Exposures, ExposuresSection
from sidecar.forced import ForcedVariations
from sidecar.notifications import DecisionMade, Kind, Notifications
from sidecar.outbox import DestinationBounds
from sidecar.pb import decision_pb2, reason_pb2
from sidecar.rpc.answers import AnswerCodec
from sidecar.rpc.decision import DecisionHandlers
from sidecar.rpc.records import StoredRecordCodec
from sidecar.sticky import StickyProfiles
from sidecar.telemetry import Telemetry
from tests.decision.building import document, flag, rule
from tests.fakes.outbox import FakeOutbox
from tests.rpc.test_decision import ScriptedCall, option
from tests.support.served import Served, decide_request, serving
from tests.test_sticky import GatedProfiles, ShiftedClock, running

OFF = "702"
"""The variation of experiment 700 that traffic does not choose."""
PROJECT = "111"


class CountedIds:
    def __init__(self) -> None:
        self.made = 0

    def new(self) -> str:
        self.made += 1
        return f"id-{self.made}"


class OneDatafile:
    """Stands in for `Datafiles`: one snapshot, whatever the name."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def current(self, name: str = "") -> Snapshot:
        return self.snapshot


class Stand:
    """The handlers over a decider, with everything around it to be looked at."""

    def __init__(self, directory: Path, sticky: StickyProfiles | None = None, **sections: Any) -> None:
        clock = ShiftedClock()
        body = json.dumps(document(**sections)).encode()
        compiler = Compiler(load=load, codec=AnswerCodec(), encode_facts=StoredRecordCodec().encode_facts)
        datafiles: Any = OneDatafile(compiler.snapshot("default", body, 0))
        bounds = DestinationBounds(bytes_max=limits.MIB, dead_letter_bytes_max=limits.MIB)
        self.outbox = FakeOutbox({"hook": bounds}, clock)
        self.forced = ForcedVariations()
        self.notifications = Notifications(clock)
        self.exposures = Exposures(ExposuresSection(remember=True), directory=directory, clock=clock)
        self.decider = Decider(
            outbox=self.outbox,
            codec=AnswerCodec(),
            clock=clock,
            ids=CountedIds(),
            impression_destinations={"default": ["hook"]},
            telemetry=Telemetry(),
            forced=self.forced,
            notifications=self.notifications,
            sticky=sticky,
            exposures=self.exposures,
        )
        self.handlers = DecisionHandlers(datafiles, self.decider, Telemetry())

    async def decide(self, **fields: Any) -> decision_pb2.DecideResponse:
        reply = self.handlers.decide(decide_request(**fields).SerializeToString(), ScriptedCall())
        return decision_pb2.DecideResponse.FromString(reply if isinstance(reply, bytes) else await reply)


@pytest.fixture
async def store() -> GatedProfiles:
    return GatedProfiles()


@pytest.fixture
async def sticky(store: GatedProfiles) -> AsyncIterator[StickyProfiles]:
    async with running(store, ShiftedClock()) as one:
        yield one


def why(reply: decision_pb2.DecideResponse) -> tuple[str, str]:
    (decision,) = reply.decisions
    return decision.variation_key, reason_pb2.DecisionReason.Name(decision.reason).removeprefix("DECISION_REASON_")


async def written(one: StickyProfiles) -> None:
    while one.waiting_saves:
        await asyncio.sleep(0)


# --- forced variations ------------------------------------------------------------------------------------------------


async def test_a_forced_variation_is_seen_by_the_next_decision_and_no_longer_once_removed(tmp_path: Path) -> None:
    on = Stand(tmp_path)
    assert why(await on.decide()) == ("on", "BUCKETED")
    on.forced.set("default", "u", "700", OFF)
    assert why(await on.decide()) == ("off", "FORCED_VARIATION")
    assert why(await on.decide(user_id="other")) == ("on", "BUCKETED")
    on.forced.set("default", "u", "700", None)
    assert why(await on.decide()) == ("on", "BUCKETED")


async def test_a_forced_variation_that_is_gone_is_passed_over_with_a_reason(tmp_path: Path) -> None:
    on = Stand(tmp_path)
    on.forced.set("default", "u", "700", "gone")
    reply = await on.decide(options=option("INCLUDE_REASONS"))
    assert why(reply) == ("on", "BUCKETED")
    assert any("`gone` is no longer in `exp`" in reason for reason in reply.decisions[0].reasons)


# --- sticky profiles --------------------------------------------------------------------------------------------------


async def test_without_profiles_the_answer_is_there_at_once(tmp_path: Path) -> None:
    on = Stand(tmp_path)
    assert isinstance(on.handlers.decide(decide_request().SerializeToString(), ScriptedCall()), bytes)


async def test_a_profile_is_looked_up_before_and_saved_after(
    tmp_path: Path, store: GatedProfiles, sticky: StickyProfiles
) -> None:
    on = Stand(tmp_path, sticky)
    reply = on.handlers.decide(decide_request().SerializeToString(), ScriptedCall())
    assert inspect.isawaitable(reply)
    assert why(decision_pb2.DecideResponse.FromString(await reply)) == ("on", "BUCKETED")
    await written(sticky)
    assert await store.lookup(PROJECT, "u") == {"700": "701"}
    assert why(await on.decide()) == ("on", "STICKY")
    await written(sticky)
    assert store.saved == [{"700": "701"}]


async def test_a_stored_variation_stays_although_traffic_moved(
    tmp_path: Path, store: GatedProfiles, sticky: StickyProfiles
) -> None:
    await store.save(PROJECT, "u", {"700": OFF})
    on = Stand(tmp_path, sticky)
    assert why(await on.decide()) == ("off", "STICKY")


async def test_a_stored_variation_that_is_gone_is_replaced(
    tmp_path: Path, store: GatedProfiles, sticky: StickyProfiles
) -> None:
    await store.save(PROJECT, "u", {"700": "gone", "1": "2"})
    on = Stand(tmp_path, sticky)
    assert why(await on.decide()) == ("on", "BUCKETED")
    await written(sticky)
    assert await store.lookup(PROJECT, "u") == {"700": "701", "1": "2"}


async def test_the_option_leaves_profiles_alone_and_answers_at_once(
    tmp_path: Path, store: GatedProfiles, sticky: StickyProfiles
) -> None:
    await store.save(PROJECT, "u", {"700": OFF})
    on = Stand(tmp_path, sticky)
    request = decide_request(options=option("IGNORE_USER_PROFILE_SERVICE")).SerializeToString()
    reply = on.handlers.decide(request, ScriptedCall())
    assert isinstance(reply, bytes)
    assert why(decision_pb2.DecideResponse.FromString(reply)) == ("on", "BUCKETED")
    assert store.asked == []
    assert sticky.waiting_saves == 0


@pytest.mark.parametrize("trouble", ["slow", "down"])
async def test_a_store_in_trouble_is_a_reason_and_nothing_is_saved(
    tmp_path: Path, store: GatedProfiles, sticky: StickyProfiles, trouble: str
) -> None:
    on = Stand(tmp_path, sticky)
    store.shut, store.broken = ({"u"}, False) if trouble == "slow" else (set(), True)
    reply = await on.decide()
    assert why(reply) == ("on", "BUCKETED")
    (reason,) = reply.decisions[0].reasons
    assert "profile store `memory`" in reason
    assert sticky.waiting_saves == 0
    assert on.outbox.pending("hook") == 1


async def test_users_do_not_wait_for_each_other(tmp_path: Path, store: GatedProfiles, sticky: StickyProfiles) -> None:
    store.shut = {"slow"}
    on = Stand(tmp_path, sticky)
    slow = asyncio.create_task(on.decide(user_id="slow"))
    await asyncio.sleep(0)
    await on.decide(user_id="quick")
    assert not slow.done()
    store.gate.set()
    assert why(await slow) == ("on", "BUCKETED")


async def test_a_call_that_is_late_after_its_lookup_decides_nothing(tmp_path: Path, sticky: StickyProfiles) -> None:
    on = Stand(tmp_path, sticky)
    call = ScriptedCall(remaining_s=-0.1)
    reply = on.handlers.decide(decide_request().SerializeToString(), call)
    assert inspect.isawaitable(reply)
    with pytest.raises(Exception, match="deadline"):
        await reply
    assert on.outbox.pending("hook") == 0


async def test_many_users_have_their_own_profiles(tmp_path: Path, store: GatedProfiles, sticky: StickyProfiles) -> None:
    count = 3 * limits.PROFILE_LOOKUPS_AT_ONCE
    for n in range(0, count, 2):
        await store.save(PROJECT, f"u{n}", {"700": OFF})
    on = Stand(tmp_path, sticky)
    users = [decision_pb2.DecideManyUser(user_id=f"u{n}") for n in range(count)]
    request = decision_pb2.DecideManyRequest(users=[*users, decision_pb2.DecideManyUser()])
    body = await on.handlers.decide_many(request.SerializeToString(), ScriptedCall())
    *results, bad = decision_pb2.DecideManyResponse.FromString(body).results
    assert [why(one.decided) for one in results] == [("off", "STICKY"), ("on", "BUCKETED")] * (count // 2)
    assert bad.HasField("error")
    await written(sticky)
    assert await store.lookup(PROJECT, "u1") == {"700": "701"}


async def test_explaining_reads_profiles_and_forced_variations_and_saves_nothing(
    tmp_path: Path, store: GatedProfiles, sticky: StickyProfiles
) -> None:
    await store.save(PROJECT, "kept", {"700": OFF})
    on = Stand(tmp_path, sticky)
    on.forced.set("default", "forced", "700", OFF)
    found = {}
    with on.notifications.subscribe([Kind.DECISION], "default"):
        for user_id in ("kept", "forced", "new"):
            request = decision_pb2.ExplainRequest(user_id=user_id, flag_key="f")
            reply = on.handlers.explain(request.SerializeToString(), ScriptedCall())
            assert inspect.isawaitable(reply)
            rule_ = decision_pb2.ExplainResponse.FromString(await reply).rules[0]
            found[user_id] = reason_pb2.DecisionReason.Name(rule_.reason).removeprefix("DECISION_REASON_")
    assert found == {"kept": "STICKY", "forced": "FORCED_VARIATION", "new": "BUCKETED"}
    assert sticky.waiting_saves == on.notifications.published == on.outbox.pending("hook") == 0


async def test_profiles_work_through_the_running_server(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    path.write_text(json.dumps(document()))
    configuration = {"datafiles": {"default": {"path": str(path)}}, "profiles": {"store": "sqlite"}}
    async with serving(tmp_path, configuration) as served:
        assert await reasons_twice(served) == ["BUCKETED", "STICKY"]


async def reasons_twice(served: Served) -> list[str]:
    return [why(await served.decide(flag_keys=["f"]))[1] for _ in range(2)]


# --- notifications and exposures --------------------------------------------------------------------------------------


async def test_listeners_are_told_of_each_decision(tmp_path: Path) -> None:
    on = Stand(tmp_path, featureFlags=[flag(), flag("g", experimentIds=[], rolloutId="")], sendFlagDecisions=False)
    with on.notifications.subscribe([Kind.DECISION], "default") as told:
        await on.decide(attributes={"x": 1}, decision_id="d")
        both = [(await anext(told)).notification for _ in range(2)]
        await on.decide(flag_keys=["f"], options=option("DISABLE_DECISION_EVENT"))
        silent = (await anext(told)).notification
    made = [one for one in (*both, silent) if isinstance(one, DecisionMade)]
    assert [(one.decision.flag_key, one.impression_offered) for one in made] == [
        ("f", True),
        ("g", False),
        ("f", False),
    ]
    assert (made[0].user_id, made[0].attributes, made[0].decision_id) == ("u", {"x": 1}, "d")
    assert (made[0].revision, made[0].datafile, made[2].decision_id) == ("7", "default", "id-1")


async def test_a_repeated_decision_is_told_without_an_impression(tmp_path: Path) -> None:
    on = Stand(tmp_path)
    with on.notifications.subscribe([Kind.DECISION], "default") as told:
        for offered in (True, False):
            await on.decide(decision_id="d")
            one = (await anext(told)).notification
            assert isinstance(one, DecisionMade)
            assert one.impression_offered is offered


async def test_an_experiments_impression_is_an_exposure(tmp_path: Path) -> None:
    on = Stand(tmp_path)
    await on.decide(user_id="silent", options=option("DISABLE_DECISION_EVENT"))
    await on.decide(user_id="seen")
    assert not on.exposures.seen("silent", ["700"])
    assert on.exposures.seen("seen", ["700"])


async def test_an_impression_that_found_no_room_or_is_a_deliverys_is_no_exposure(tmp_path: Path) -> None:
    on = Stand(tmp_path, experiments=[rule(trafficAllocation=[])])
    await on.decide(user_id="delivered")
    assert not on.exposures.seen("delivered", ["700", "900"])
    full = Stand(tmp_path)
    await full.outbox.close()
    await full.decide(user_id="refused")
    assert not full.exposures.seen("refused", ["700"])
