"""Every shared vector: a datafile, a user, and what must come out.

The same files are read by every client's tests.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sidecar.decision import Decision, User, bucket, load
from sidecar.decision.bucketing import hash_of
from sidecar.errors import DatafileRejected

VECTORS = Path(__file__).parent.parent / "vectors"


@cache
def cases(name: str) -> list[dict[str, Any]]:
    with gzip.open(VECTORS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def parameters(name: str) -> list[Any]:
    return [pytest.param(case, id=f"{case['name']}") for case in cases(name)]


def as_expected(decision: Decision) -> dict[str, Any]:
    """A decision in the vectors' words."""
    return {
        "variation_key": decision.variation_key,
        "enabled": decision.enabled,
        "rule_key": decision.rule_key,
        "variables": decision.variables,
        "impressions": [
            {
                "enabled": impression.enabled,
                "flag_key": impression.flag_key,
                "rule_key": impression.rule_key,
                "rule_type": impression.rule_type,
                "variation_key": impression.variation_key,
            }
            for impression in decision.impressions
        ],
    }


def check(case: dict[str, Any]) -> None:
    body = json.dumps(case["datafile"]).encode()
    if case["expect"] == "datafile rejected":
        with pytest.raises(DatafileRejected):
            load(body)
        return
    segments = case["qualified_segments"]
    user = User(
        case["user_id"],
        case["attributes"],
        None if segments is None else frozenset(segments),
        {(one["flag"], one.get("rule") or ""): one["variation"] for one in case["forced_decisions"]},
    )
    decision = load(body).decide(user, case["flag_key"])
    if case["expect"] == "request rejected":
        # An empty user id is refused by the face; the engine would decide it.
        assert case["user_id"] == ""
        return
    assert as_expected(decision) == case["expect"]


@pytest.mark.parametrize("case", parameters("conditions"))
def test_conditions_answer_as_the_vectors_say(case: dict[str, Any]) -> None:
    check(case)


@pytest.mark.parametrize("case", parameters("bucketing"))
def test_buckets_choose_as_the_vectors_say(case: dict[str, Any]) -> None:
    check(case)


@pytest.mark.parametrize("case", parameters("decisions"))
def test_decisions_and_impressions_are_as_the_vectors_say(case: dict[str, Any]) -> None:
    check(case)


@pytest.mark.parametrize("case", json.loads((VECTORS / "bucket_values.json").read_text()))
def test_hash_and_bucket_are_as_every_sdk_has_them(case: dict[str, Any]) -> None:
    ids = case["bucketing_id"], case["entity_id"]
    assert (hash_of(*ids), bucket(*ids)) == (case["murmur3_32_seed1"], case["bucket"])
