"""What a trace holds, and that looking changes nothing."""

from __future__ import annotations

from sidecar.decision import StepKind, Trace, bucket
from tests.decision.building import build, exact, holdout, rule, somebody


def test_a_trace_says_condition_value_bucket_and_outcome() -> None:
    audience = {"id": "1", "name": "in the s", "conditions": ["or", exact("x", "s"), exact("x", "t")]}
    datafile = build(
        typedAudiences=[audience],
        experiments=[rule(audienceIds=["1"])],
        holdouts=[holdout(trafficAllocation=[])],
    )
    trace = Trace()
    decision = datafile.decide(somebody("u", x="t"), "f", trace)
    conditions = [(step.subject, step.seen, step.answer) for step in trace.steps if step.kind is StepKind.CONDITION]
    assert conditions == [("x", "t", False), ("x", "t", True)]
    (placed,) = [step for step in trace.steps if step.kind is StepKind.BUCKET and step.rule_key == "exp"]
    assert (placed.subject, placed.bucket, placed.range_start, placed.range_end) == (
        "700",
        bucket("u", "700"),
        0,
        10_000,
    )
    assert trace.steps[-1].kind is StepKind.OUTCOME
    assert trace.reasons()[-1] == "flag `f` gives the user variation `on` by rule `exp` (bucketed)"
    assert decision is datafile.decide(somebody("u", x="t"), "f")


def test_a_trace_says_why_a_value_is_unknown() -> None:
    audience = {"id": "1", "name": "a", "conditions": exact("x", 5)}
    trace = Trace()
    build(typedAudiences=[audience], experiments=[rule(audienceIds=["1"])]).decide(somebody(x=[1]), "f", trace)
    assert "condition `x` exact 5 is unknown: the user has `[1]`" in trace.reasons()


def test_a_trace_of_a_disabled_flag_says_what_disables_it() -> None:
    trace = Trace()
    build(experiments=[rule(variations=5)]).decide(somebody(), "f", trace)
    assert trace.reasons()[0].startswith("experiments[0].variations is `integer`, wanted array")


def test_a_trace_of_an_unknown_flag_says_so() -> None:
    trace = Trace()
    build().decide(somebody(), "nope", trace)
    assert trace.reasons() == ["there is no flag `nope`"]
