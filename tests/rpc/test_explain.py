"""`Explain` through a running server: the walk of a decision as a message, and that looking leaves no trace."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sidecar.decision import bucket
from sidecar.decision.bucketing import hash_of
from sidecar.pb import decision_pb2, explain_pb2, reason_pb2
from sidecar.rpc.wire_values import trusted_mapping
from tests.decision.building import document, everyone_else, exact, flag, holdout, rule
from tests.rpc.test_decision import option
from tests.rpc.test_vectors import cases, datafiles
from tests.support.served import DECIDE, Served, decide_request, serving, values

pytestmark = pytest.mark.usefixtures("wire")

EXPLAIN = "/sidecar.v1.DecisionService/Explain"
NOBODY = [{"entityId": "", "endOfRange": 10_000}]


def explain_request(**fields: Any) -> decision_pb2.ExplainRequest:
    attributes = values(fields.pop("attributes", {}))
    return decision_pb2.ExplainRequest(**{"user_id": "u", "flag_key": "f", **fields}, attributes=attributes)


async def ask(served: Served, **fields: Any) -> decision_pb2.ExplainResponse:
    return await served.call(EXPLAIN, explain_request(**fields), decision_pb2.ExplainResponse)


def results(reply: decision_pb2.ExplainResponse) -> list[tuple[str, str]]:
    name = explain_pb2.RuleResult.Name
    return [(one.rule_key, name(one.result).removeprefix("RULE_RESULT_")) for one in reply.rules]


def truth(node: explain_pb2.ExplainedCondition) -> str:
    return explain_pb2.Truth.Name(node.truth).removeprefix("TRUTH_")


@pytest_asyncio.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Any]:
    """Serves one datafile, made of sections as `document` has them."""
    async with serving(tmp_path, {"datafiles": {"default": {"path": str(tmp_path / "d.json")}}}, loaded=False) as one:

        async def with_sections(**sections: Any) -> Served:
            (tmp_path / "d.json").write_text(json.dumps(document(**sections)))
            await one.parts.datafiles.reload()
            return one

        yield with_sections


async def test_rules_that_were_not_reached_are_listed_too(serve: Any) -> None:
    served = await serve(
        holdouts=[holdout(trafficAllocation=[]), holdout("510", "draft", status="Draft")],
        featureFlags=[flag(experimentIds=["690", "700", "710"])],
        experiments=[rule("690", "paused", status="Paused"), rule(), rule("710", "later")],
    )
    reply = await ask(served)
    assert results(reply) == [
        ("ho", "TRAFFIC_MISSED"),
        ("draft", "NOT_RUNNING"),
        ("paused", "NOT_RUNNING"),
        ("exp", "CHOSEN"),
        ("later", "NOT_REACHED"),
        ("ee", "NOT_REACHED"),
    ]
    assert [one.status for one in reply.rules] == ["Running", "Draft", "Paused", "Running", "Running", "Running"]
    chosen = reply.rules[3]
    assert (chosen.variation_key, chosen.reason) == ("on", reason_pb2.DECISION_REASON_BUCKETED)
    assert (chosen.rule_id, chosen.rule_type) == ("700", reason_pb2.RULE_TYPE_FEATURE_TEST)
    assert not reply.rules[4].notes
    assert any("700" in note for note in chosen.notes)
    assert (reply.revision, reply.bucketing_id, reply.makes_impression) == ("7", "u", True)


async def test_a_draw_shows_hash_bucket_and_ranges(serve: Any) -> None:
    traffic = [{"entityId": "701", "endOfRange": 2_000}, {"entityId": "gone", "endOfRange": 3_000}, *NOBODY]
    served = await serve(experiments=[rule(trafficAllocation=traffic)])
    draw = (await ask(served, attributes={"$opt_bucketing_id": "other"})).rules[0].bucketing
    assert (draw.bucketing_id, draw.entity_id) == ("other", "700")
    assert (draw.hash, draw.bucket) == (hash_of("other", "700"), bucket("other", "700"))
    spans = [(one.start_bucket, one.end_bucket, one.entity_id, one.entity_key) for one in draw.ranges]
    assert spans == [(0, 2_000, "701", "on"), (2_000, 3_000, "gone", ""), (3_000, 10_000, "", "")]
    assert draw.chosen_entity_id == ("701" if draw.bucket < 2_000 else "")


async def test_a_group_is_a_draw_of_its_own(serve: Any) -> None:
    group = {
        "id": "19",
        "policy": "random",
        "trafficAllocation": [{"entityId": "710", "endOfRange": 10_000}],
        "experiments": [rule(), rule("710", "other")],
    }
    served = await serve(experiments=[], groups=[group])
    reply = await ask(served)
    assert results(reply)[0] == ("exp", "TRAFFIC_MISSED")
    drawn = reply.rules[0].group_bucketing
    assert (drawn.entity_id, drawn.bucket, drawn.chosen_entity_id) == ("19", bucket("u", "19"), "710")
    assert [one.entity_key for one in drawn.ranges] == ["other"]
    assert not reply.rules[0].HasField("bucketing")


async def test_an_audience_is_shown_whole_with_what_each_comparison_saw(serve: Any) -> None:
    conditions = ["and", ["or", exact("plan", "pro"), exact("age", 5)], ["not", exact("tags", "x")], exact("n", None)]
    audience = {"id": "1", "name": "grown", "conditions": conditions}
    served = await serve(typedAudiences=[audience], experiments=[rule(audienceConditions=["or", "1", "nowhere"])])
    reply = await ask(served, attributes={"plan": "pro", "age": "5", "tags": ["x"]})
    assert results(reply)[0] == ("exp", "AUDIENCE_MISSED")
    top = reply.rules[0].audience
    known, missing = top.children
    assert [truth(one) for one in (top, known, missing)] == ["UNKNOWN"] * 3
    assert (known.audience_id, known.audience_name, missing.audience_name) == ("1", "grown", "")
    assert "nowhere" in missing.note
    (tree,) = known.children
    either, negated, unusable = tree.children
    assert [truth(one) for one in (tree, either, negated, unusable)] == ["UNKNOWN", "TRUE", "UNKNOWN", "UNKNOWN"]
    # Both, although a decision stops at the first.
    plan, age = either.children
    assert (plan.attribute_key, plan.match, plan.wanted.string_value, plan.seen.string_value) == (
        "plan",
        "exact",
        "pro",
        "pro",
    )
    assert (truth(plan), plan.note) == ("TRUE", "")
    assert (truth(age), age.wanted.int_value, age.seen.string_value) == ("UNKNOWN", 5, "5")
    assert "a string" in age.note
    (tags,) = negated.children
    assert not tags.HasField("seen")
    assert "a list" in tags.note
    assert "does not suit" in unusable.note


@pytest.mark.parametrize(
    ("match", "value", "attributes", "words"),
    [
        ("gt", 5, {}, "no attribute `x`"),
        ("gt", 5, {"x": None}, "null"),
        ("gt", 5, {"x": 2.0**60}, "beyond"),
        ("gt", 5, {"x": float("nan")}, "finite"),
        ("gt", 5, {"x": True}, "a boolean"),
        ("semver_ge", "1.0", {"x": "one"}, "no version"),
        ("close to", 5, {"x": 5}, "`close to`"),
    ],
)
async def test_unknown_says_why(serve: Any, match: str, value: Any, attributes: dict[str, Any], words: str) -> None:
    conditions = ["or", {**exact("x", value), "match": match}]
    served = await serve(
        typedAudiences=[{"id": "1", "name": "a", "conditions": conditions}], experiments=[rule(audienceIds=["1"])]
    )
    leaf = (await ask(served, attributes=attributes)).rules[0].audience.children[0].children[0].children[0]
    assert truth(leaf) == "UNKNOWN"
    assert words in leaf.note


async def test_a_deep_audience_is_cut_and_still_true(serve: Any) -> None:
    conditions: Any = exact("x", 1)
    for _ in range(90):
        conditions = ["and", conditions]
    served = await serve(
        typedAudiences=[{"id": "1", "name": "a", "conditions": conditions}], experiments=[rule(audienceIds=["1"])]
    )
    reply = await ask(served, attributes={"x": 1})
    assert results(reply)[0] == ("exp", "CHOSEN")
    node, levels = reply.rules[0].audience, 1
    while node.children:
        (node,), levels = node.children, levels + 1
    assert levels == 64
    assert truth(node) == "TRUE"
    assert "not shown" in node.note


async def test_a_local_holdout_stands_within_its_rule(serve: Any) -> None:
    served = await serve(localHoldouts=[holdout(includedRules=["700"])])
    reply = await ask(served)
    assert results(reply) == [("exp", "NOT_REACHED"), ("ee", "NOT_REACHED")]
    (held,) = reply.rules[0].local_holdouts
    assert (held.rule_key, held.result) == ("ho", explain_pb2.RULE_RESULT_CHOSEN)
    assert (held.variation_key, held.reason) == ("held", reason_pb2.DECISION_REASON_HOLDOUT)
    assert held.bucketing.chosen_entity_id == "501"
    assert reply.decision.reason == reason_pb2.DECISION_REASON_HOLDOUT


async def test_a_holdout_that_leaves_targeted_deliveries_holds_the_other_rules_out(serve: Any) -> None:
    served = await serve(
        holdouts=[holdout(excludeTargetedDeliveries=True)],
        featureFlags=[flag(experimentIds=["700", "710"])],
        experiments=[rule(), rule("710", "targeted", type="td", trafficAllocation=NOBODY)],
    )
    reply = await ask(served)
    assert results(reply) == [
        ("ho", "HELD_OUT"),
        ("exp", "HELD_OUT"),
        ("targeted", "TRAFFIC_MISSED"),
        ("ee", "CHOSEN"),
    ]
    assert reply.rules[0].variation_key == "held"


async def test_bandits_are_named_as_such(serve: Any) -> None:
    served = await serve(
        experiments=[rule(cmab={"attributeIds": []})],
        rollouts=[{"id": "ro", "experiments": [rule("800", "learning", cmab={"attributeIds": []}), everyone_else()]}],
    )
    reply = await ask(served)
    assert results(reply) == [("exp", "CMAB_UNSUPPORTED"), ("learning", "CMAB_UNSUPPORTED"), ("ee", "CHOSEN")]


async def test_a_user_outside_the_traffic_of_a_delivery_goes_to_the_last(serve: Any) -> None:
    deliveries = [rule("800", "first", trafficAllocation=NOBODY), rule("810", "second"), everyone_else()]
    served = await serve(
        experiments=[rule(trafficAllocation=NOBODY)], rollouts=[{"id": "ro", "experiments": deliveries}]
    )
    reply = await ask(served)
    outcomes = ["TRAFFIC_MISSED", "TRAFFIC_MISSED", "NOT_REACHED", "CHOSEN"]
    assert [outcome for _, outcome in results(reply)] == outcomes
    assert reply.rules[3].reason == reason_pb2.DECISION_REASON_ROLLOUT


@pytest.mark.parametrize(
    ("fields", "rules", "reason"),
    [
        ({"rule_key": ""}, ["NOT_REACHED", "NOT_REACHED"], "FLAG_FORCED"),
        ({"rule_key": "exp"}, ["CHOSEN", "NOT_REACHED"], "RULE_FORCED"),
    ],
)
async def test_forced_decisions_are_part_of_the_walk(
    serve: Any, fields: dict[str, str], rules: list[str], reason: str
) -> None:
    served = await serve(experiments=[rule(trafficAllocation=NOBODY)])
    force = decision_pb2.ForcedDecision(flag_key="f", variation_key="off", **fields)
    reply = await ask(served, forced_decisions=[force])
    assert [outcome for _, outcome in results(reply)] == rules
    assert reply.decision.reason == reason_pb2.DecisionReason.Value(f"DECISION_REASON_{reason}")


async def test_a_whitelisted_user_is_chosen_without_an_audience(serve: Any) -> None:
    served = await serve(experiments=[rule(forcedVariations={"u": "off"}, audienceIds=["nowhere"])])
    first = (await ask(served)).rules[0]
    assert (first.result, first.variation_key) == (explain_pb2.RULE_RESULT_CHOSEN, "off")
    assert first.reason == reason_pb2.DECISION_REASON_WHITELISTED
    assert not first.HasField("audience")
    assert not first.HasField("bucketing")


async def test_an_unknown_or_invalid_flag_has_no_rules_but_a_reason(serve: Any) -> None:
    served = await serve(featureFlags=[flag(), flag("broken", variables=5)])
    for key, reason in (("nope", "FLAG_NOT_FOUND"), ("broken", "FLAG_INVALID")):
        reply = await ask(served, flag_key=key)
        assert reply.decision.reason == reason_pb2.DecisionReason.Value(f"DECISION_REASON_{reason}")
        assert reply.decision.reasons
        assert not reply.rules
        assert not reply.makes_impression


async def test_explaining_makes_no_impression(serve: Any) -> None:
    served = await serve()
    await ask(served)
    assert await served.events() == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"user_id": ""}, "user_id"), ({"flag_key": ""}, "flag_key"), ({"options": [99]}, "options[0]")],
)
async def test_a_bad_request_is_refused(serve: Any, fields: dict[str, Any], named: str) -> None:
    served = await serve()
    assert (await served.refused(EXPLAIN, explain_request(**fields))).fields == [named]


def chosen_of(rules: Any) -> Iterator[tuple[str, str]]:
    """The rules and holdouts that decided, with their variations."""
    for one in rules:
        if one.result == explain_pb2.RULE_RESULT_CHOSEN:
            yield one.rule_key, one.variation_key
        yield from chosen_of(one.local_holdouts)


@pytest.mark.parametrize("name", ["conditions", "bucketing", "decisions"])
async def test_the_walk_agrees_with_the_decision_in_every_vector(tmp_path: Path, name: str) -> None:
    chosen = [case for case in cases(name) if case["expect"] != "request rejected"]
    async with serving(tmp_path, {"datafiles": dict(datafiles(tmp_path, chosen))}) as served:
        for case in chosen:
            fields: dict[str, Any] = {
                "user_id": case["user_id"],
                "attributes": case["attributes"],
                "datafile": case["served"],
                "forced_decisions": [
                    decision_pb2.ForcedDecision(
                        flag_key=one["flag"], rule_key=one.get("rule") or "", variation_key=one["variation"]
                    )
                    for one in case["forced_decisions"]
                ],
            }
            if case["qualified_segments"] is not None:
                fields["qualified_segments"] = decision_pb2.QualifiedSegments(keys=case["qualified_segments"])
            reply = await ask(served, flag_key=case["flag_key"], **fields)
            told = {"flag_keys": [case["flag_key"]], "options": option("INCLUDE_REASONS")}
            request = decide_request(**fields, **told)
            (decision,) = (await served.call(DECIDE, request, decision_pb2.DecideResponse)).decisions
            assert reply.decision == decision, case["name"]
            assert trusted_mapping(reply.decision.variables) == case["expect"]["variables"]
            by_rule = [(decision.rule_key, decision.variation_key)] if decision.rule_key else []
            assert list(chosen_of(reply.rules)) == by_rule, case["name"]
