"""What a datafile may lack or repeat and still be one: unknown references (R7), absent parts, numbers for text (R8)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Final

from tools.differential.answers import Json

_SECTIONS: Final = (
    "groups",
    "rollouts",
    "audiences",
    "attributes",
    "events",
    "typedAudiences",
    "holdouts",
    "experiments",
)
_RULE_FIELDS: Final = ("status", "layerId", "audienceIds", "forcedVariations", "trafficAllocation")


def loosen(choice: Random, datafile: Json, features: set[str]) -> None:
    """Change the datafile in place, seldom; `features` gains what was done."""
    for odds, feature, change in _CHANGES:
        if choice.random() < odds:
            change(choice, datafile)
            features.add(feature)


def _repeat_flag(choice: Random, datafile: Json) -> None:
    twin = copy.deepcopy(choice.choice(datafile["featureFlags"]))
    twin["experimentIds"] = twin["experimentIds"][::-1]
    datafile["featureFlags"].append(twin)


def _repeat_experiment(choice: Random, datafile: Json) -> None:
    if datafile["experiments"]:
        twin = copy.deepcopy(choice.choice(datafile["experiments"]))
        twin["trafficAllocation"] = twin["trafficAllocation"][::-1]
        datafile["experiments"].append(twin)


def _unknown_experiment(choice: Random, datafile: Json) -> None:
    ids = choice.choice(datafile["featureFlags"])["experimentIds"]
    ids.insert(choice.randint(0, len(ids)), "gone")


def _unknown_rollout(choice: Random, datafile: Json) -> None:
    choice.choice(datafile["featureFlags"])["rolloutId"] = "gone"


def _no_section(choice: Random, datafile: Json) -> None:
    section = choice.choice(_SECTIONS)
    # Without them every reference is unknown, which is R7's and has its own place.
    if section not in ("experiments", "rollouts") or not datafile[section]:
        datafile[section] = None
        if choice.random() < 0.7:
            del datafile[section]


def _no_field(choice: Random, datafile: Json) -> None:
    if datafile["experiments"]:
        choice.choice(datafile["experiments"]).pop(choice.choice(_RULE_FIELDS), None)


def _no_flag_field(choice: Random, datafile: Json) -> None:
    choice.choice(datafile["featureFlags"]).pop(choice.choice(["rolloutId", "variables", "experimentIds"]), None)


def _number(choice: Random, datafile: Json) -> None:
    name = choice.choice(["version", "revision", "accountId", "projectId"])
    datafile[name] = int(datafile[name])


def _number_of_a_variable(choice: Random, datafile: Json) -> None:
    for variable in choice.choice(datafile["featureFlags"]).get("variables") or ():
        variable["defaultValue"] = choice.choice([5, 1.5, 0])


_Change = Callable[[Random, Json], None]
_CHANGES: Final[tuple[tuple[float, str, _Change], ...]] = (
    (0.02, "datafile: one flag twice", _repeat_flag),
    (0.02, "datafile: one experiment twice", _repeat_experiment),
    (0.02, "datafile: unknown experiment", _unknown_experiment),
    (0.01, "datafile: unknown rollout", _unknown_rollout),
    (0.015, "datafile: section absent or null", _no_section),
    (0.015, "datafile: field of a rule absent", _no_field),
    (0.01, "datafile: field of a flag absent", _no_flag_field),
    (0.01, "datafile: number for text", _number),
    (0.01, "datafile: number for a variable's text", _number_of_a_variable),
)
