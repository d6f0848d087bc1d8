"""Generated callers: attributes of every type, odd bucketing ids, forced decisions, forced variations and profiles."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from tools.differential import words
from tools.differential.answers import Person


class Names(NamedTuple):
    """What a caller can name of one datafile."""

    flag_keys: tuple[str, ...]
    rule_keys: tuple[str, ...]
    experiment_ids: tuple[str, ...]
    variation_ids: tuple[str, ...]


def person(choice: Random, names: Names, features: set[str]) -> Person:
    """One caller; `features` gains what is special about them."""
    user_id = choice.choice(words.USERS) if choice.random() < 0.3 else f"user-{choice.getrandbits(40)}"
    if not user_id:
        features.add("user: empty id")
    elif not user_id.isascii():
        features.add("user: id beyond ASCII")
    segments = None if choice.random() < 0.5 else tuple(choice.sample(words.SEGMENTS, choice.randint(0, 2)))
    fixed = _fixed(choice, names) if choice.random() < 0.1 else {}
    profile = _fixed(choice, names) if choice.random() < 0.3 else None
    forced = _forced(choice, names) if choice.random() < 0.15 else {}
    enabled_only = choice.random() < 0.1
    for feature, here in (
        ("user: segments", bool(segments)),
        ("user: forced decisions", bool(forced)),
        ("user: variations set by API", bool(fixed)),
        ("user: profile", profile is not None),
        ("option: enabled flags only", enabled_only),
    ):
        if here:
            features.add(feature)
    return Person(
        user_id=user_id,
        attributes=_attributes(choice, features),
        segments=segments,
        forced_decisions=forced,
        forced_variations=fixed,
        profile=profile,
        enabled_only=enabled_only,
    )


def _attributes(choice: Random, features: set[str]) -> dict[str, Any]:
    attributes = {}
    for name in words.ATTRIBUTES:
        if choice.random() < 0.65:
            attributes[name] = _attribute(choice, name, features)
    if choice.random() < 0.15:
        bucketing_id = choice.choice(["shared", "b-1", "", 5, None, True, 1.5, "日本"])
        features.add(f"user: bucketing id, a {type(bucketing_id).__name__}")
        attributes["$opt_bucketing_id"] = bucketing_id
    return attributes


def _attribute(choice: Random, name: str, features: set[str]) -> Any:
    if choice.random() < 0.08:
        value = choice.choice((*words.ODD_VALUES, *words.NOT_FINITE))
        features.add("user: attribute that is no text, number or boolean")
        return value
    if choice.random() < 0.1:
        name = choice.choice(words.ATTRIBUTES)
    return value_for(choice, name)


def value_for(choice: Random, name: str) -> Any:
    """A value as an attribute of that name usually has."""
    if name == "age":
        return choice.choice(words.NUMBERS)
    if name == "version":
        return choice.choice(words.VERSIONS)
    if name == "beta":
        return choice.random() < 0.5
    return choice.choice(words.TEXTS)


def _forced(choice: Random, names: Names) -> dict[tuple[str, str], str]:
    keys = (*words.VARIATION_KEYS, "gone")
    return {
        (choice.choice(names.flag_keys), choice.choice(("", *names.rule_keys))): choice.choice(keys)
        for _ in range(choice.randint(1, 3))
    }


def _fixed(choice: Random, names: Names) -> dict[str, str]:
    if not names.experiment_ids:
        return {}
    fixed = {}
    for experiment_id in choice.sample(names.experiment_ids, min(2, len(names.experiment_ids))):
        own = [one for one in names.variation_ids if one.startswith(f"{experiment_id}-")]
        fixed[experiment_id] = choice.choice([*own, *own, "gone", *names.variation_ids[:1]])
    return fixed
