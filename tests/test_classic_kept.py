"""What the older calls keep of a user: variations set by API, and the profile that they leave."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from sidecar import classic
from sidecar.classic import Asker
from sidecar.errors import RequestInvalid
from sidecar.forced import ForcedVariations
from sidecar.ports import ForcedVariation
from sidecar.sticky import Sticky
from tests.decision.building import everyone_else, rule, variation
from tests.support.classic import activate, feature, stand


async def test_a_forced_variation_counts_in_every_call_that_decides_until_it_is_removed() -> None:
    on = stand()
    force = on.classic.force
    assert await force(on.snapshot, "u", "exp", "off") == ""
    assert on.classic.forced(on.snapshot, "u", "exp") == "off"
    asker = on.asker()
    assert activate(on).decision.reason == "FORCED_VARIATION"
    assert on.classic.variation(asker, "exp").variation_key == "off"
    assert not feature(on).decision.enabled
    assert on.decider.decide(on.snapshot, asker.user, ["f"])[0].reason == "FORCED_VARIATION"
    assert activate(on, asker=on.asker("another")).decision.variation_key == "on"
    assert await force(on.snapshot, "u", "exp", "on") == "off"
    assert await force(on.snapshot, "u", "exp", "") == "on"
    assert await force(on.snapshot, "u", "exp", "") == ""
    assert on.asker().user.forced_variations is None


@pytest.mark.parametrize(
    ("experiment_key", "variation_key", "field"),
    [("nowhere", "on", "experiment_key"), ("nowhere", "", "experiment_key"), ("exp", "nowhere", "variation_key")],
)
async def test_what_the_datafile_does_not_have_cannot_be_forced(
    experiment_key: str, variation_key: str, field: str
) -> None:
    on = stand()
    await on.classic.force(on.snapshot, "u", "exp", "off")
    with pytest.raises(RequestInvalid) as refused:
        await on.classic.force(on.snapshot, "u", experiment_key, variation_key)
    assert [one.field for one in refused.value.violations] == [field]
    assert "`nowhere`" in str(refused.value)
    assert on.classic.forced(on.snapshot, "u", "exp") == "off"


async def test_of_two_variations_with_one_key_that_of_the_delivery_is_forced() -> None:
    rest = {"id": "ro", "experiments": [everyone_else(variations=[variation("902", "on")])]}
    on = stand(experiments=[rule(type="fr")], rollouts=[rest])
    await on.classic.force(on.snapshot, "u", "exp", "on")
    assert activate(on).decision.variation_id == "902"


async def test_a_forced_variation_that_is_gone_reads_as_none_and_is_passed_over() -> None:
    on = stand()
    on.forced.set("default", "u", "700", "gone")
    assert on.classic.forced(on.snapshot, "u", "exp") == ""
    assert on.classic.forced(on.snapshot, "u", "nowhere") == ""
    assert activate(on).decision.reason == "BUCKETED"
    assert await on.classic.force(on.snapshot, "u", "exp", "off") == ""


class NeverWrites:
    """A store of forced variations that hangs."""

    async def load(self) -> Sequence[ForcedVariation]:
        return ()

    async def write(self, changes: Sequence[ForcedVariation]) -> None:
        await asyncio.Event().wait()


async def test_a_store_that_hangs_holds_up_a_forced_variation_for_a_bounded_time_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(classic, "PROFILE_ANSWER_S", 0.01)
    on = stand()
    forced = ForcedVariations(NeverWrites())
    act = classic.Classic(decider=on.decider, forced=forced, telemetry=on.telemetry)
    async with asyncio.timeout(5):
        assert await act.force(on.snapshot, "u", "exp", "off") == ""
    assert act.forced(on.snapshot, "u", "exp") == "off"


def test_what_traffic_chose_is_kept_and_what_is_kept_is_not_saved_again() -> None:
    on = stand()
    activate(on)
    assert on.kept.profile == {"700": "701"}
    on.kept.profile = {"700": "702"}
    decision = on.classic.variation(on.asker(), "exp")
    assert (decision.variation_key, decision.reason) == ("off", "STICKY")
    assert on.kept.profile == {"700": "702"}


@pytest.mark.parametrize("forced", [True, False], ids=["set by API", "whitelisted"])
def test_what_traffic_did_not_choose_is_not_kept(forced: bool) -> None:
    on = stand(experiments=[rule(forcedVariations={} if forced else {"u": "off"})])
    if forced:
        on.forced.set("default", "u", "700", "702")
    assert activate(on).decision.variation_key == "off"
    assert on.kept.profile == {}


def test_a_profile_that_could_not_be_read_is_not_overwritten() -> None:
    on = stand()
    unread = Asker(on.snapshot, on.asker().user, Sticky(None, "profile store is down"))
    assert activate(on, asker=unread).decision.reason == "BUCKETED"
    assert feature(on).decision.enabled
    on.kept.profile.clear()
    on.classic.variation(unread, "exp")
    assert on.kept.profile == {}
