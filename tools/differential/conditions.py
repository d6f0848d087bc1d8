"""Generated audiences: legacy and typed, every match type, values that suit it and values that do not, odd trees."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tools.differential import words
from tools.differential.answers import Json
from tools.differential.people import value_for

_NAMES = {"gt": "age", "ge": "age", "lt": "age", "le": "age"}


def leaf(choice: Random, features: set[str]) -> Json:
    """One condition."""
    odds = choice.random()
    if odds < 0.02:
        match = choice.choice(words.UNKNOWN_MATCHES)
        features.add("condition: unknown match")
    elif odds < 0.025:
        match = choice.choice(words.UNREADABLE_MATCHES)
        features.add("condition: match that is no text")
    elif odds < 0.1:
        match = None
        features.add("condition: no match")
    else:
        match = choice.choice(words.MATCHES)
        features.add(f"match: {match}")
    name = _name(choice, match)
    condition = {
        "type": _kind(choice, features),
        "name": name,
        "value": _value(choice, match, name, features),
    }
    if match is not None or choice.random() < 0.3:
        condition["match"] = match
    if match == "exists" and choice.random() < 0.7:
        del condition["value"]
    return condition


def _kind(choice: Random, features: set[str]) -> str:
    if choice.random() < 0.02:
        features.add("condition: unknown type")
        return "browser"
    return "third_party_dimension" if choice.random() < 0.15 else "custom_attribute"


def _name(choice: Random, match: Any) -> str:
    if choice.random() < 0.9:
        if isinstance(match, str) and match.startswith("semver"):
            return "version"
        if isinstance(match, str) and match in _NAMES:
            return _NAMES[match]
    return choice.choice(words.ATTRIBUTES)


def _value(choice: Random, match: Any, name: str, features: set[str]) -> Any:
    if choice.random() < 0.05:
        features.add("condition: value that does not suit")
        return choice.choice([None, True, [], ["us"], 5, "5", 2**54, 1e300])
    if match == "qualified":
        return choice.choice(words.SEGMENTS)
    if match == "substring":
        return choice.choice(["us", "", "u", "本", "-"])
    if isinstance(match, str) and match.startswith("semver"):
        return choice.choice(words.VERSIONS)
    return value_for(choice, name)


def tree(choice: Random, features: set[str], depth: int = 0) -> Json:
    """A tree of conditions, up to four lists deep."""
    if depth >= 4 or (depth and choice.random() < 0.55):
        return leaf(choice, features)
    odds = choice.random()
    if odds < 0.008:
        features.add("condition: unknown operator")
        return [choice.choice(["xor", "AND", ""]), leaf(choice, features), leaf(choice, features)]
    if odds < 0.014 and depth:
        features.add("condition: empty list")
        return []
    if odds < 0.05:
        features.add("condition: operator without operands")
        return [choice.choice(["and", "or", "not"])]
    children = [tree(choice, features, depth + 1) for _ in range(choice.choice([1, 2, 2, 3, 4]))]
    if odds < 0.15:
        features.add("condition: list without operator")
        return children
    operator = choice.choice(["and", "or", "or", "not"])
    features.add(f"operator: {operator}")
    if operator == "or" and choice.random() < 0.2:
        features.add("condition: exact texts of one attribute")
        return ["or", *({**leaf_of(one), "name": "country"} for one in choice.sample(words.TEXTS, 3))]
    return [operator, *children]


def leaf_of(value: str) -> Json:
    """An exact text."""
    return {"type": "custom_attribute", "match": "exact", "name": "plan", "value": value}


def audiences(choice: Random, features: set[str]) -> tuple[list[Json], list[Json], list[str]]:
    """Legacy audiences, typed ones, and every id."""
    legacy, typed, ids = [], [], []
    for number in range(1, choice.randint(2, 5)):
        id_ = str(number)
        ids.append(id_)
        conditions = tree(choice, features)
        if choice.random() < 0.35:
            features.add("audience: legacy")
            legacy.append({"id": id_, "name": f"l{id_}", "conditions": json.dumps(conditions)})
            continue
        features.add("audience: typed")
        typed.append({"id": id_, "name": f"t{id_}", "conditions": conditions})
        if choice.random() < 0.4:
            features.add("audience: typed over its twin")
            dummy = {"type": "custom_attribute", "name": "$opt_dummy_attribute", "value": "$opt_dummy_value"}
            legacy.append({"id": id_, "name": f"l{id_}", "conditions": json.dumps(["and", ["or", ["or", dummy]]])})
    return legacy, typed, ids


def admission(choice: Random, ids: list[str], features: set[str]) -> dict[str, Any]:
    """The audience fields of one rule."""
    odds = choice.random()
    known = [*ids, *ids, *ids, "unknown"]
    if odds < 0.45:
        return {"audienceIds": []}
    if odds < 0.65:
        features.add("rule: audience ids")
        return {"audienceIds": [choice.choice(known) for _ in range(choice.randint(1, 3))]}
    if odds < 0.7:
        features.add("rule: empty or null audience conditions")
        return {"audienceIds": [choice.choice(known)], "audienceConditions": choice.choice([None, []])}
    features.add("rule: audience conditions")
    return {"audienceIds": ["unknown"], "audienceConditions": _names(choice, known, features)}


def _names(choice: Random, ids: list[str], features: set[str], depth: int = 0) -> Json:
    odds = choice.random()
    if depth and (odds < 0.6 or depth > 2):
        return choice.choice(ids)
    children = [_names(choice, ids, features, depth + 1) for _ in range(choice.randint(1, 3))]
    if odds > 0.96:
        features.add("rule: audience conditions without operator")
        return children
    if odds > 0.955:
        features.add("rule: empty list in audience conditions")
        return ["or", *children, []]
    return [choice.choice(["and", "or", "not"]), *children]
