"""What holds of every decision, on generated datafiles and callers: order, growth, membership, frozenness."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest

from sidecar.decision import CompiledDatafile, Decision, Reason, RuleType, Trace, User
from tests.decision.building import build, rule, somebody, variation
from tools.differential.answers import Person
from tools.differential.ours import compiled, user_of
from tools.differential.people import person
from tools.differential.rewriting import rules
from tools.differential.writing import Written, write

SEEDS = range(150)
PEOPLE = 6


def worlds() -> Iterator[tuple[Written, CompiledDatafile, list[Person], Random]]:
    """Generated datafiles that load, each with callers."""
    for seed in SEEDS:
        choice = Random(f"properties/{seed}")
        written = write(choice)
        datafile = compiled(written.datafile)
        assert datafile is not None
        yield written, datafile, [person(choice, written.names, set()) for _ in range(PEOPLE)], choice


def said(decision: Decision) -> str:
    """A decision in words, for comparing those of two compilations."""
    return repr(msgspec.structs.asdict(decision))


def shuffled(choice: Random, mapping: Any) -> dict[Any, Any]:
    items = list(mapping.items())
    choice.shuffle(items)
    return dict(items)


def test_neither_the_order_of_attributes_nor_of_what_is_forced_matters() -> None:
    for _, datafile, people, choice in worlds():
        for one in people:
            other = replace(
                one,
                attributes=shuffled(choice, one.attributes),
                forced_decisions=shuffled(choice, one.forced_decisions),
                forced_variations=shuffled(choice, one.forced_variations),
            )
            assert datafile.decide_keys(user_of(one)) == datafile.decide_keys(user_of(other))


def test_neither_the_order_of_flags_nor_of_calls_matters() -> None:
    for written, datafile, people, choice in worlds():
        first = {
            (place, key): datafile.decide(user_of(one), key)
            for place, one in enumerate(people)
            for key in datafile.flags
        }
        asked = list(first)
        choice.shuffle(asked)
        fresh = compiled(written.datafile)
        assert fresh is not None
        for place, key in asked:
            assert datafile.decide(user_of(people[place]), key) is first[place, key]
            assert said(fresh.decide(user_of(people[place]), key)) == said(first[place, key])


def test_watching_a_decision_does_not_change_it() -> None:
    for _, datafile, people, _ in worlds():
        for key in datafile.flags:
            user = user_of(people[0])
            assert datafile.decide(user, key, Trace()) is datafile.decide(user, key)


def test_the_order_in_which_a_datafile_lists_its_sections_does_not_matter() -> None:
    for written, datafile, people, choice in worlds():
        other = compiled(shuffled(choice, written.datafile))
        assert other is not None
        for one in people:
            user = user_of(one)
            assert [said(d) for d in other.decide_keys(user)] == [said(d) for d in datafile.decide_keys(user)]


def last_range_grown(datafile: Any) -> Any:
    """Every rule's last range, and no other, reaches 10,000."""
    grown = copy.deepcopy(datafile)
    for one in rules(grown):
        if one.get("trafficAllocation"):
            one["trafficAllocation"][-1]["endOfRange"] = 10_000
    return grown


def test_growing_the_last_range_of_an_experiment_moves_nobody_who_was_in_it() -> None:
    ends = [2_000, 5_000]
    variations = [variation("701", "on"), variation("702", "off")]
    for end in (5_001, 7_000, 10_000):
        before, after = (
            build(
                experiments=[
                    rule(
                        variations=variations,
                        trafficAllocation=[
                            {"entityId": "701", "endOfRange": ends[0]},
                            {"entityId": "702", "endOfRange": last},
                        ],
                    )
                ]
            )
            for last in (ends[1], end)
        )
        held = 0
        for number in range(1_000):
            decision = before.decide(somebody(f"u{number}"), "f")
            if decision.reason is Reason.BUCKETED:
                held += 1
                assert said(after.decide(somebody(f"u{number}"), "f")) == said(decision)
        assert 400 < held < 600


def test_growing_every_last_range_keeps_each_rule_s_own_choice() -> None:
    for written, datafile, people, _ in worlds():
        grown = compiled(last_range_grown(written.datafile))
        assert grown is not None
        for key, placement in datafile.experiments.items():
            bigger = grown.experiments[key]
            if placement.group is not None or placement.type == "fr":
                continue  # a group's ranges stay as they are; a feature rollout's last range is its flag's delivery
            for one in people:
                arm = placement.choose(user_of(one))
                if arm is not None:
                    chosen = bigger.choose(user_of(one))
                    assert chosen is not None
                    assert chosen.id == arm.id


def forceable(datafile: CompiledDatafile, flag_key: str) -> set[str]:
    flag = datafile.flags[flag_key]
    return {arm.id for one in (*flag.experiments, *flag.deliveries) for arm in one.placement.arms}


def test_the_variation_of_an_answer_belongs_to_its_rule() -> None:
    for _, datafile, people, _ in worlds():
        for one in people:
            for decision in datafile.decide_keys(user_of(one)):
                if not decision.variation_id:
                    assert decision.rule_key == ""
                    continue
                flag = datafile.flags[decision.flag_key]
                if decision.reason in (Reason.FLAG_FORCED, Reason.RULE_FORCED):
                    assert decision.variation_id in forceable(datafile, decision.flag_key)
                    continue
                asked = [one.placement for one in (*flag.experiments, *flag.deliveries)]
                local = [holdout for one in (*flag.experiments, *flag.deliveries) for holdout in one.local_holdouts]
                (arms,) = {
                    frozenset(arm.id for arm in placement.arms)
                    for placement in (*asked, *local, *flag.holdouts)
                    if placement.id == decision.experiment_id
                }
                assert decision.variation_id in arms


def test_an_impression_of_the_answer_says_what_the_answer_says() -> None:
    for _, datafile, people, _ in worlds():
        for one in people:
            for decision in datafile.decide_keys(user_of(one)):
                if decision.rule_type is RuleType.ROLLOUT and not datafile.send_flag_decisions:
                    continue  # it makes none of its own; a holdout's may stand there
                for impression in decision.impressions[-1:]:
                    said_there = (
                        impression.rule_key,
                        impression.variation_id,
                        impression.enabled,
                        impression.rule_type,
                    )
                    assert said_there == (
                        decision.rule_key,
                        decision.variation_id,
                        decision.enabled,
                        decision.rule_type,
                    )


def test_a_compiled_datafile_never_changes_however_it_is_asked() -> None:
    for written, datafile, people, choice in worlds():
        before = [said(one) for one in datafile.prebuilt()]
        source = datafile.source.body
        for one in people:
            for key in (*datafile.flags, "unknown"):
                datafile.decide(user_of(one), key)
                datafile.decide(user_of(person(choice, written.names, set())), key, Trace())
        datafile.describe()
        assert [said(one) for one in datafile.prebuilt()] == before
        assert json.loads(source) == json.loads(json.dumps(written.datafile))


@pytest.mark.parametrize("change", ["revision", "flags", "warnings"])
def test_a_compiled_datafile_refuses_to_be_changed(change: str) -> None:
    datafile = build()
    with pytest.raises(AttributeError):
        setattr(datafile, change, None)
    with pytest.raises(AttributeError):
        datafile.decide(User("u"), "f").enabled = True  # type: ignore[misc]  # that it cannot be set is the fact
