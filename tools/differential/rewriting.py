"""Datafiles said anew for the SDK: what a ruling reads into them, put into words that the SDK reads the same way.

Pure; each takes a datafile and returns another one, equal to the first when the ruling has nothing to say about it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from tools.differential.answers import Json

_OPERATORS: Final = ("and", "or", "not")
_UNKNOWN: Final = {"type": "no_such_type", "name": "x", "match": "exact", "value": "x"}
_NOBODY: Final = ["and", "no such audience"]
_SECTIONS: Final = (
    *("groups", "experiments", "featureFlags", "rollouts", "audiences", "typedAudiences"),
    *("attributes", "events", "holdouts", "localHoldouts"),
)
_TRAFFIC: Final[dict[str, Any]] = {"status": "", "audienceIds": [], "variations": [], "trafficAllocation": []}
_RULE: Final[dict[str, Any]] = {**_TRAFFIC, "layerId": "", "forcedVariations": {}}
_FLAG: Final[dict[str, Any]] = {"experimentIds": [], "rolloutId": "", "variables": []}
_TEXTS: Final = ("version", "revision", "accountId", "projectId")


def rules(datafile: Json) -> Iterator[Json]:
    """Every experiment, delivery rule and holdout of a datafile."""
    yield from datafile.get("experiments") or ()
    for section in ("groups", "rollouts"):
        for owner in datafile.get(section) or ():
            yield from owner["experiments"]
    for section in ("holdouts", "localHoldouts"):
        yield from datafile.get(section) or ()


def with_operators(datafile: Json) -> Json:
    """R5: every list of conditions begins with its operator."""
    changed = copy.deepcopy(datafile)
    for rule in rules(changed):
        if rule.get("audienceConditions"):
            rule["audienceConditions"] = _explicit(rule["audienceConditions"])
    _each_audience(changed, _explicit)
    return changed


def _explicit(tree: Json) -> Json:
    if not isinstance(tree, list):
        return tree
    named = bool(tree) and isinstance(tree[0], str) and tree[0] in _OPERATORS
    # What begins with another string is an unknown operator (R6) or a list of audience ids, which the SDK reads.
    if named or (tree and isinstance(tree[0], str)):
        return [tree[0], *(_explicit(child) for child in tree[1:])]
    return ["or", *(_explicit(child) for child in tree)]


def _each_audience(datafile: Json, change: Callable[[Json], Json]) -> None:
    for section in ("audiences", "typedAudiences"):
        for audience in datafile.get(section) or ():
            tree = audience["conditions"]
            if isinstance(tree, str):
                before = json.loads(tree)
                after = change(before)
                audience["conditions"] = tree if after == before else json.dumps(after)
            else:
                audience["conditions"] = change(tree)


def without_unknowns(datafile: Json) -> Json:
    """R6: what the SDK cannot evaluate becomes a condition of a type that it knows to be unknown."""
    changed = copy.deepcopy(datafile)
    _each_audience(changed, _known)
    return changed


def _known(tree: Json) -> Json:
    if isinstance(tree, list):
        if tree and isinstance(tree[0], str):
            return [tree[0], *map(_known, tree[1:])] if tree[0] in _OPERATORS else dict(_UNKNOWN)
        return [_known(child) for child in tree]
    return tree if isinstance(tree, dict) and _readable(tree) else dict(_UNKNOWN)


def _readable(leaf: Json) -> bool:
    """The SDK looks matches up in a dictionary and puts the values of `qualified` in a set: lists end it there."""
    if isinstance(leaf.get("match"), dict | list):
        return False
    return leaf.get("match") != "qualified" or not isinstance(leaf.get("value"), dict | list)


def without_unknown_references(datafile: Json) -> Json:
    """R7: flags name only experiments and rollouts that are there."""
    changed = copy.deepcopy(datafile)
    experiments = {str(rule.get("id")) for rule in changed.get("experiments") or ()}
    experiments |= {str(rule.get("id")) for group in changed.get("groups") or () for rule in group["experiments"]}
    rollouts = {str(rollout.get("id")) for rollout in changed.get("rollouts") or ()}
    for flag in changed.get("featureFlags") or ():
        if flag.get("experimentIds"):
            flag["experimentIds"] = [one for one in flag["experimentIds"] if str(one) in experiments]
        if "rolloutId" in flag and str(flag["rolloutId"]) not in rollouts:
            flag["rolloutId"] = ""
    return changed


def complete(datafile: Json) -> Json:
    """R8: every section and field that the SDK insists on is there, and text is text."""
    changed = copy.deepcopy(datafile)
    for section in _SECTIONS:
        if changed.get(section) is None:
            changed[section] = []
    for name in _TEXTS:
        changed[name] = _text(changed.get(name, ""))
    holdouts = [*changed["holdouts"], *changed["localHoldouts"]]
    for rule in rules(changed):
        _fill(rule, _TRAFFIC if rule in holdouts else _RULE)
        rule["audienceIds"] = [_text(one) for one in rule["audienceIds"]]
        for variation in rule["variations"]:
            for usage in variation.get("variables") or ():
                usage["value"] = _text(usage["value"])
    for flag in changed["featureFlags"]:
        _fill(flag, _FLAG)
        flag["experimentIds"] = [_text(one) for one in flag["experimentIds"]]
        for variable in flag["variables"]:
            _fill(variable, {"defaultValue": "", "type": "string"})
            variable["defaultValue"] = _text(variable["defaultValue"])
    return changed


def _fill(entity: Json, defaults: Json) -> None:
    for name, empty in defaults.items():
        if entity.get(name) is None:
            entity[name] = copy.copy(empty)


def _text(value: Json) -> Json:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def without_bandits(datafile: Json) -> Json:
    """R15: a rule with `cmab` admits nobody, so that all that stands before its audience still holds."""
    changed = copy.deepcopy(datafile)
    for rule in rules(changed):
        if rule.pop("cmab", None):
            rule["audienceConditions"] = list(_NOBODY)
    return changed
