"""Steps made from what the daemon's own tests hold it to: the shared vectors, and the reference SDK's decisions."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from typing import Any, Final

from optimizely import logger, optimizely
from optimizely.helpers.sdk_settings import OptimizelySdkSettings

from clients.conformance.programs import ROOT

VECTORS: Final = ROOT / "tests" / "vectors"
SAMPLES: Final = {"decisions": 1, "conditions": 20, "bucketing": 8}
"""Every how manieth case of each file is taken: a client adds nothing to conditions and buckets but their wire."""
USERS: Final = 40
Steps = tuple[list[dict[str, Any]], dict[str, Any]]


def steps(kind: str) -> Steps:
    """The steps of `vectors` in a scenario, and the datafiles that they need by name."""
    return {"decisions": decisions, "twenty_flags": twenty_flags}[kind]()


def tagged(value: Any) -> Any:
    """A value as steps have it."""
    if isinstance(value, dict):
        return {"map": {key: tagged(each) for key, each in value.items()}}
    if isinstance(value, list):
        return {"list": [tagged(each) for each in value]}
    if isinstance(value, float):
        return {"double": repr(value).replace("inf", "Infinity").replace("nan", "NaN")}
    return {"int": str(value)} if isinstance(value, int) and not isinstance(value, bool) else value


def answered(value: Any) -> Any:
    """A value as answers have it."""
    from clients.python.conformance.canonical import value as form  # noqa: PLC0415 - the one encoder of doubles

    return form(value)


# --- tests/vectors -----------------------------------------------------------------------------------------------


def _cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, every in SAMPLES.items():
        with gzip.open(VECTORS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                case = json.loads(line)
                if number % every == 0 and "flag_key" in case:
                    yield f"{name} {number}", case


def decisions() -> Steps:
    """One decide for each case of tests/vectors, its datafile served under a name of its own."""
    made = [_connected("tcp")]
    datafiles: dict[str, Any] = {}
    names: dict[str, str] = {}
    for place, case in _cases():
        body = json.dumps(case["datafile"], sort_keys=True)
        name = names.setdefault(body, f"vector-{len(names)}")
        datafiles[name] = case["datafile"]
        made.append(_step(place, case, name))
    return made, datafiles


def _step(place: str, case: dict[str, Any], datafile: str) -> dict[str, Any]:
    expect = case["expect"]
    if isinstance(expect, str):
        reason = {"datafile rejected": "NO_DATAFILE", "request rejected": "INVALID_ARGUMENT"}[expect]
        expected: dict[str, Any] = {"reason": "SIDECAR_UNAVAILABLE", "error_reason": reason}
    else:
        expected = {key: expect[key] for key in ("variation_key", "enabled", "rule_key")} | {"error_reason": ""}
        expected["variables"] = {key: answered(each) for key, each in expect["variables"].items()}
    user: dict[str, Any] = {
        "user_id": case["user_id"],
        "attributes": {key: tagged(each) for key, each in case["attributes"].items()},
        "datafile": datafile,
        "forced_decisions": [
            {"flag_key": one["flag"], "variation_key": one["variation"], "rule_key": one.get("rule") or ""}
            for one in case["forced_decisions"]
        ],
    }
    if case["qualified_segments"] is not None:
        user["segments"] = case["qualified_segments"]
    return {
        "id": f"{place}: {case['name']}",
        "call": "decide",
        "user": user,
        "flag_key": case["flag_key"],
        "options": case["options"],
        "decision_id": place,
        "timeout_ms": 10_000,
        "expected": expected,
    }


# --- the benchmark's datafile --------------------------------------------------------------------------------------


def twenty_flags() -> Steps:
    """All flags for users with attributes drawn from the datafile's own, as Optimizely's Python SDK decides them."""
    datafile = json.loads((VECTORS / "datafile_20_flags.json").read_text())
    reference = optimizely.Optimizely(
        datafile=json.dumps(datafile),
        logger=logger.NoOpLogger(),
        settings=OptimizelySdkSettings(odp_disabled=True),
        default_decide_options=["DISABLE_DECISION_EVENT"],
    )
    dice = random.Random(20)
    made = [_connected("unix")]
    for number in range(USERS):
        user_id, attributes = f"user-{number}", _attributes(datafile, dice)
        context: Any = reference.create_user_context(user_id, attributes)
        decided = context.decide_all()
        made.append(_all_flags(user_id, attributes, decided, [flag["key"] for flag in datafile["featureFlags"]]))
    reference.close()
    return made, {}


def _all_flags(
    user_id: str, attributes: dict[str, Any], decided: dict[str, Any], flag_keys: list[str]
) -> dict[str, Any]:
    expected = [
        {
            "flag_key": key,
            "variation_key": decided[key].variation_key or "",
            "enabled": decided[key].enabled,
            "rule_key": decided[key].rule_key or "",
            "variables": {name: answered(each) for name, each in decided[key].variables.items()},
        }
        for key in flag_keys
    ]
    return {
        "id": f"all flags of {user_id}",
        "call": "decide_all",
        "user": {"user_id": user_id, "attributes": {key: tagged(each) for key, each in attributes.items()}},
        "decision_id": f"all-{user_id}",
        "timeout_ms": 10_000,
        "expected": {"decisions": expected},
    }


def _attributes(datafile: dict[str, Any], dice: random.Random) -> Any:
    """Values that conditions of the datafile compare with, and others of every type."""
    wanted = {
        leaf["name"]: leaf.get("value") for leaf in _leaves([each["conditions"] for each in datafile["typedAudiences"]])
    }
    others = [None, True, 7, 2**53 + 1, 0.5, "text", [1], {"a": 1}]
    return {key: value if dice.random() < 0.7 else dice.choice(others) for key, value in wanted.items()}


def _leaves(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    elif isinstance(node, list):
        for each in node:
            yield from _leaves(each)


def _connected(to: str) -> dict[str, Any]:
    """The first step. Why ten seconds: what is shown here is what is answered, on a busy machine too."""
    return {
        "id": "connect",
        "call": "connect",
        "to": to,
        "with": {"decide_timeout_ms": 10_000},
        "expected": "connected",
    }
