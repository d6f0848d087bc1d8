"""Small datafiles for tests: one flag `f` with one experiment and one rollout, changed where a test wants."""

from __future__ import annotations

import json
from typing import Any

from sidecar.decision import CompiledDatafile, User, load
from sidecar.values import Value

ALL = [{"entityId": "701", "endOfRange": 10_000}]


def variation(id_: str, key: str, *, enabled: bool = True, **more: Any) -> dict[str, Any]:
    return {"id": id_, "key": key, "featureEnabled": enabled, "variables": [], **more}


def rule(id_: str = "700", key: str = "exp", **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "key": key,
        "status": "Running",
        "layerId": f"L{id_}",
        "audienceIds": [],
        "forcedVariations": {},
        "trafficAllocation": ALL,
        "variations": [variation("701", "on"), variation("702", "off", enabled=False)],
        **changes,
    }


def everyone_else(**changes: Any) -> dict[str, Any]:
    traffic = [{"entityId": "902", "endOfRange": 10_000}]
    return rule("900", "ee", **{"trafficAllocation": traffic, "variations": [variation("902", "rest")], **changes})


def holdout(id_: str = "500", key: str = "ho", **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "key": key,
        "status": "Running",
        "audienceIds": [],
        "trafficAllocation": [{"entityId": "501", "endOfRange": 10_000}],
        "variations": [variation("501", "held", enabled=False)],
        **changes,
    }


def flag(key: str = "f", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id_{key}",
        "key": key,
        "experimentIds": ["700"],
        "rolloutId": "ro",
        "variables": [],
        **changes,
    }


def document(**changes: Any) -> dict[str, Any]:
    """A datafile as JSON values; `changes` replace whole sections."""
    return {
        "version": "4",
        "revision": "7",
        "accountId": "222",
        "projectId": "111",
        "sendFlagDecisions": True,
        "featureFlags": [flag()],
        "experiments": [rule()],
        "rollouts": [{"id": "ro", "experiments": [everyone_else()]}],
        "groups": [],
        "audiences": [],
        "typedAudiences": [],
        "attributes": [{"id": "a1", "key": "x"}],
        "events": [{"id": "e1", "key": "ev", "experimentIds": []}],
        **changes,
    }


def build(**changes: Any) -> CompiledDatafile:
    return load(json.dumps(document(**changes)).encode())


def exact(name: str, value: Value) -> dict[str, Any]:
    return {"type": "custom_attribute", "match": "exact", "name": name, "value": value}


def somebody(user_id: str = "u", **attributes: Value) -> User:
    return User(user_id, attributes)
