"""Compiles rules into placements, each once however many flags share it.

Experiments, the rules of rollouts and holdouts alike. Rules: docs/semantics.md B1 to B5, D7, D8, F4, F6.
"""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import Final

from msgspec import Raw, structs

from sidecar.decision.audiences import Audiences
from sidecar.decision.bucketing import BUCKETS, Ranges, ranges
from sidecar.decision.datafile import Datafile, Entity, Warnings
from sidecar.decision.entities import (
    ROLLOUT,
    RULE,
    USAGES,
    Allocation,
    EntityBroken,
    Group,
    Rule,
    Variation,
)
from sidecar.decision.parsing import indexed
from sidecar.decision.placement import Arm, Placement

RUNNING: Final = "Running"
FEATURE_ROLLOUT: Final = "fr"
_EXCLUSIVE: Final = "random"
_EMPTY: Final = (b"[]", b"null")
_NOBODY: Final[Mapping[str, Arm]] = {}


class Placements:
    """The compiled rules of one datafile, by id; a rule that is broken stays broken for everyone who asks."""

    def __init__(self, datafile: Datafile, audiences: Audiences, warnings: Warnings) -> None:
        self._datafile = datafile
        self._audiences = audiences
        self._warnings = warnings
        self._experiments: dict[str, Placement | EntityBroken] = {}
        self._rollouts: dict[str, tuple[Placement, ...] | EntityBroken] = {}
        self._groups: dict[str, Ranges[str]] = {}

    def experiment(self, id_: str) -> Placement:
        """The experiment of that id, which must be in the datafile. Raises EntityBroken, path complete."""
        found = self._experiments.get(id_)
        if found is None:
            try:
                found = self.place(self._datafile.experiments[id_])
            except EntityBroken as error:
                found = error
            self._experiments[id_] = found
        if isinstance(found, EntityBroken):
            raise EntityBroken(found.path, found.got, found.wanted)
        return found

    def rollout(self, id_: str) -> tuple[Placement, ...]:
        """The rules of the rollout of that id, which must be in the datafile.

        Raises EntityBroken, path complete.
        """
        found = self._rollouts.get(id_)
        if found is None:
            try:
                found = self._read_rollout(self._datafile.rollouts[id_])
            except EntityBroken as error:
                found = error
            self._rollouts[id_] = found
        if isinstance(found, EntityBroken):
            raise EntityBroken(found.path, found.got, found.wanted)
        return found

    def place(self, entity: Entity, everyone_else: Arm | None = None) -> Placement:
        """Compile one rule.

        `everyone_else` is what a feature rollout gives to the rest of its traffic (D7).
        """
        try:
            rule = RULE.read(entity.raw)
            _require(rule)
            arms = self._arms(rule, entity)
        except EntityBroken as error:
            raise error.within(entity.path) from None
        allocations = rule.traffic_allocation
        if everyone_else is not None:
            allocations = [*allocations, Allocation(everyone_else.id, BUCKETS)]
            arms[everyone_else.id] = everyone_else
        placed = tuple(structs.replace(arm, place=place) for place, arm in enumerate(arms.values()))
        if rule.cmab:
            self._warnings.add(f"{entity.path}.cmab", "contextual bandits are not decided here; the rule is skipped")
        return Placement(
            id=intern(rule.id),
            key=intern(rule.key),
            layer_id=intern(rule.layer_id),
            type=intern(rule.type),
            running=rule.status == RUNNING,
            unsupported=bool(rule.cmab),
            excludes_targeted_deliveries=rule.exclude_targeted_deliveries,
            audience=self._audiences.of_rule(rule, entity.path),
            group=self._group(entity.group),
            ranges=ranges(rule.id, allocations, {arm.id: arm for arm in placed}),
            arms=placed,
            whitelist=_whitelist(rule, placed),
        )

    def _read_rollout(self, entity: Entity) -> tuple[Placement, ...]:
        try:
            rollout = ROLLOUT.read(entity.raw)
        except EntityBroken as error:
            raise error.within(entity.path) from None
        rules = indexed(f"{entity.path}.experiments", rollout.experiments, "id", self._warnings, strict=True)
        return tuple(self.place(rule) for rule in rules.values())

    def _arms(self, rule: Rule, entity: Entity) -> dict[str, Arm]:
        """By id; of two variations with one key, or one id, the last one is used."""
        by_key: dict[str, Arm] = {}
        for index, variation in enumerate(rule.variations):
            path = f"variations[{index}]"
            if variation.key in by_key:
                self._warnings.add(
                    f"{entity.path}.{path}.key", f"`{variation.key}` is there twice; the last one is used"
                )
            try:
                by_key[variation.key] = _arm(variation)
            except EntityBroken as error:
                raise error.within(path) from None
        return {arm.id: arm for arm in by_key.values()}

    def _group(self, group: Group | None) -> Ranges[str] | None:
        """The first choice of an experiment that excludes others; other policies share nothing (B4)."""
        if group is None or group.policy != _EXCLUSIVE:
            return None
        found = self._groups.get(group.id)
        if found is None:
            itself: Mapping[str, str] = {one.entity_id: one.entity_id for one in group.traffic_allocation}
            found = self._groups[group.id] = ranges(group.id, group.traffic_allocation, itself)
        return found


def _require(rule: Rule) -> None:
    for name, text in (("id", rule.id), ("key", rule.key.strip())):
        if not text:
            raise EntityBroken(name, "absent", "a string")


def _whitelist(rule: Rule, arms: tuple[Arm, ...]) -> Mapping[str, Arm]:
    """User ids to the variations they are fixed to; a key that the rule does not have fixes nobody (D5)."""
    if not rule.forced_variations:
        return _NOBODY
    by_key = {arm.key: arm for arm in arms}
    return {user: by_key[key] for user, key in rule.forced_variations.items() if key in by_key}


def _arm(variation: Variation) -> Arm:
    for name, text in (("id", variation.id), ("key", variation.key)):
        if not text:
            raise EntityBroken(name, "absent", "a string")
    usages: Raw | None = variation.variables
    if bytes(variation.variables) in _EMPTY:
        usages = None
    else:
        try:
            # Read now so that it is known to be readable later, when a decision types it.
            USAGES.read(variation.variables)
        except EntityBroken as error:
            raise error.within("variables") from None
    return Arm(
        id=intern(variation.id),
        key=intern(variation.key),
        enabled=variation.feature_enabled,
        usages=usages,
        place=0,
    )
