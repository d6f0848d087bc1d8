"""The expected share of each variation, against counts of many users where chance allows it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sidecar.decision import User
from sidecar.decision.shares import expected_shares, spans
from tests.decision.building import build, everyone_else, flag, holdout, rule, variation


def traffic(*ends: tuple[str, float]) -> list[dict[str, Any]]:
    return [{"entityId": id_, "endOfRange": end} for id_, end in ends]


def grouped(*rules: dict[str, Any], allocation: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": "g", "policy": "random", "trafficAllocation": allocation, "experiments": list(rules)}]


TWO = grouped(
    rule("710", "one", trafficAllocation=traffic(("701", 5000))),
    rule("711", "two", trafficAllocation=traffic(("702", 10_000))),
    allocation=traffic(("710", 4000), ("711", 6000)),
)

CASES: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "ranges": (
        {"experiments": [rule(trafficAllocation=traffic(("701", 2500), ("", 5000), ("702", 6000)))]},
        {"on": 0.25, "off": 0.1, "rest": 0.65},
    ),
    "ranges out of order": (
        {"experiments": [rule(trafficAllocation=traffic(("701", 6000), ("702", 5000)))]},
        {"on": 0.6, "rest": 0.4},
    ),
    "more than all traffic": ({"experiments": [rule(trafficAllocation=traffic(("701", 20_000)))]}, {"on": 1.0}),
    "a fraction of a bucket": (
        {"experiments": [rule(trafficAllocation=traffic(("701", 0.5)))]},
        {"on": 0.0001, "rest": 0.9999},
    ),
    "a paused experiment": ({"experiments": [rule(status="Paused")]}, {"rest": 1.0}),
    "a bandit": ({"experiments": [rule(cmab={"attributeIds": []})]}, {"rest": 1.0}),
    "an audience counts as met": ({"experiments": [rule(audienceIds=["none"])]}, {"on": 1.0}),
    "one group is one draw": (
        {"groups": TWO, "featureFlags": [flag(experimentIds=["710", "711"])]},
        {"on": 0.2, "off": 0.2, "rest": 0.6},
    ),
    "one rule named twice is one draw": (
        {
            "experiments": [rule(trafficAllocation=traffic(("701", 5000)))],
            "featureFlags": [flag(experimentIds=["700", "700"])],
        },
        {"on": 0.5, "rest": 0.5},
    ),
    "no rollout": (
        {"experiments": [rule(trafficAllocation=traffic(("701", 1000)))], "featureFlags": [flag(rolloutId="")]},
        {"on": 0.1, "": 0.9},
    ),
    "deliveries jump to the last": (
        {
            "featureFlags": [flag(experimentIds=[])],
            "rollouts": [
                {
                    "id": "ro",
                    "experiments": [
                        rule(
                            "801",
                            "d1",
                            trafficAllocation=traffic(("811", 3000)),
                            variations=[variation("811", "first")],
                        ),
                        rule(
                            "802",
                            "d2",
                            trafficAllocation=traffic(("821", 10_000)),
                            variations=[variation("821", "middle")],
                        ),
                        everyone_else(trafficAllocation=traffic(("902", 5000))),
                    ],
                }
            ],
        },
        {"first": 0.3, "rest": 0.35, "": 0.35},
    ),
    "holdouts come first": (
        {
            "holdouts": [holdout(trafficAllocation=traffic(("501", 1000)))],
            "localHoldouts": [holdout("520", "lo", includedRules=["700"], trafficAllocation=traffic(("501", 2000)))],
            "experiments": [rule(trafficAllocation=traffic(("701", 5000)))],
        },
        {"held": 0.1 + 0.9 * 0.2, "on": 0.9 * 0.8 * 0.5, "rest": 0.9 * 0.8 * 0.5},
    ),
    "a local holdout of two rules is one draw": (
        {
            "localHoldouts": [
                holdout("520", "lo", includedRules=["700", "900"], trafficAllocation=traffic(("501", 2000)))
            ],
            "experiments": [rule(trafficAllocation=traffic(("701", 5000)))],
        },
        {"held": 0.2, "on": 0.4, "rest": 0.4},
    ),
    "targeted deliveries are excluded": (
        {
            "holdouts": [holdout(trafficAllocation=traffic(("501", 4000)), excludeTargetedDeliveries=True)],
            "experiments": [
                rule(),
                rule(
                    "730",
                    "td",
                    type="td",
                    trafficAllocation=traffic(("731", 5000)),
                    variations=[variation("731", "targeted")],
                ),
            ],
            "featureFlags": [flag(experimentIds=["700", "730"])],
        },
        {"on": 0.6, "targeted": 0.2, "rest": 0.2},
    ),
    "a feature rollout gives the rest": (
        {"experiments": [rule(type="fr", trafficAllocation=traffic(("701", 3000)))]},
        {"on": 0.3, "rest": 0.7},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_expected_share_of(name: str) -> None:
    changes, expected = CASES[name]
    assert dict(expected_shares(build(**changes).flags["f"])) == pytest.approx(expected)


@pytest.mark.parametrize("name", [name for name in CASES if name != "an audience counts as met"])
def test_many_users_get_what_is_expected_of(name: str) -> None:
    changes, _ = CASES[name]
    compiled = build(**changes).flags["f"]
    counts = Counter(compiled.decide(User(f"user-{n}")).variation_key for n in range(20_000))
    expected = expected_shares(compiled)
    assert set(counts) <= set(expected)
    for key, share in expected.items():
        assert counts[key] / 20_000 == pytest.approx(share, abs=0.012), key


def test_spans_cover_all_buckets_once() -> None:
    placement = build(experiments=[rule(trafficAllocation=traffic(("701", 0), ("701", 10), ("x", 9.5), ("", 40)))])
    found = [
        (first, after, arm.key if arm else None) for first, after, arm in spans(placement.experiments["exp"].ranges)
    ]
    assert found == [(0, 10, "on"), (10, 10_000, None)]
