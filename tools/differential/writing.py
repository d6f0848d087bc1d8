"""Generated datafiles: experiments, groups, rollouts, holdouts, every variable type, and what nobody should write."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tools.differential import words
from tools.differential.answers import Json
from tools.differential.conditions import admission, audiences
from tools.differential.loosening import loosen
from tools.differential.people import Names


@dataclass(slots=True, kw_only=True)
class Written:
    """A datafile, what callers can name of it, and what is special about it."""

    datafile: Json
    names: Names
    features: set[str]


@dataclass(slots=True)
class _Writer:
    """Writes one datafile."""

    choice: Random
    features: set[str] = field(default_factory=set)
    audience_ids: list[str] = field(default_factory=list)
    rules: list[Json] = field(default_factory=list)

    def likely(self, odds: float, feature: str = "") -> bool:
        """Whether something happens, noted when it does."""
        happens = self.choice.random() < odds
        if happens and feature:
            self.features.add(feature)
        return happens

    def variation(self, id_: str, key: str, variables: list[Json]) -> Json:
        """One variation with perhaps some values of its flag's variables."""
        variation: dict[str, Any] = {"id": id_, "key": key}
        if not self.likely(0.05, "variation: enabled or not is absent"):
            variation["featureEnabled"] = self.likely(0.75)
        if not self.likely(0.1):
            used = [one for one in variables if self.likely(0.6)]
            variation["variables"] = [{"id": one["id"], "value": self.text(one["type"])} for one in used]
            if self.likely(0.05, "variation: value of an unknown variable"):
                variation["variables"].append({"id": "gone", "value": "x"})
        return variation

    def text(self, kind: str) -> str:
        """A variable's value."""
        if self.likely(0.12, f"variable: odd {kind}"):
            return self.choice.choice(words.ODD_TEXTS.get(kind, words.ODD_TEXTS["string"]))
        return self.choice.choice(words.VALUES.get(kind, words.VALUES["string"]))

    def variables(self, flag_id: str) -> list[Json]:
        """The variables of one flag."""
        variables = []
        for number in range(self.choice.choice([0, 1, 2, 2, 3, 5])):
            kind = self.choice.choice(words.KINDS)
            variable = {"id": f"{flag_id}v{number}", "key": f"{kind}{number}", "type": kind}
            if kind == "json" and self.likely(0.5, "variable: json within a string"):
                variable |= {"type": "string", "subType": "json"}
            elif self.likely(0.03, "variable: unknown type"):
                variable["type"] = "strng"
            variable["defaultValue"] = self.text(kind)
            self.features.add(f"variable: {kind}")
            variables.append(variable)
        return variables

    def rule(self, id_: str, variables: list[Json], **more: Any) -> Json:
        """An experiment, a delivery rule or a holdout without what only one of them has."""
        keys = self.choice.sample(words.VARIATION_KEYS, self.choice.choice([1, 2, 2, 3, 0]))
        variations = [self.variation(f"{id_}-{place}", key, variables) for place, key in enumerate(keys)]
        ids = [one["id"] for one in variations] or [""]
        ends = self.choice.choice(words.ENDS)
        traffic = [{"entityId": ids[place % len(ids)], "endOfRange": end} for place, end in enumerate(ends)]
        if traffic and self.likely(0.1, "traffic: of nobody or of an unknown variation"):
            self.choice.choice(traffic)["entityId"] = self.choice.choice(["", "gone"])
        rule = {
            "id": id_,
            "key": f"rule-{id_}",
            "status": "Running",
            "variations": variations,
            "trafficAllocation": traffic,
            **admission(self.choice, self.audience_ids, self.features),
            **more,
        }
        if self.likely(0.15, "rule: not running"):
            rule["status"] = self.choice.choice(["Paused", "Draft", "Archived", "Launched", "running", ""])
        return rule

    def experiment(self, id_: str, variables: list[Json]) -> Json:
        """An experiment or a delivery rule."""
        type_ = self.choice.choice(["ab", "ab", "td", "fr", "mab"])
        rule = self.rule(id_, variables, layerId=f"layer-{id_}", forcedVariations={})
        if not self.likely(0.2):
            rule["type"] = type_
            self.features.add(f"rule: type {type_}")
        if self.likely(0.15, "rule: whitelist"):
            users = self.choice.sample(words.USERS, 3)
            rule["forcedVariations"] = {user: self.choice.choice((*words.VARIATION_KEYS, "gone")) for user in users}
        if self.likely(0.02, "rule: contextual bandit"):
            rule["cmab"] = {"attributeIds": ["a1"], "trafficAllocation": self.choice.choice([10_000, 5_000, 0])}
        # Not of a delivery, whose first variation a feature rollout takes over: docs/differential.md.
        twin = len(rule["variations"]) > 1 and id_.startswith("1")
        if twin and self.likely(0.04, "variation: one key twice"):
            rule["variations"][0]["key"] = rule["variations"][1]["key"]
        self.rules.append(rule)
        return rule

    def holdout(self, id_: str, variables: list[Json], **more: Any) -> Json:
        """A holdout, global or local."""
        holdout = self.rule(id_, variables, **more)
        # Why often smaller: a holdout of everybody hides all that stands behind it.
        if self.likely(0.6):
            for traffic in holdout["trafficAllocation"]:
                traffic["endOfRange"] //= 10
        if self.likely(0.35, "holdout: excludes targeted deliveries"):
            holdout["excludeTargetedDeliveries"] = True
        if self.likely(0.7):
            for variation in holdout["variations"]:
                variation["featureEnabled"] = False
        return holdout


def write(choice: Random) -> Written:
    """One datafile of one to four flags."""
    writer = _Writer(choice)
    legacy, typed, writer.audience_ids = audiences(choice, writer.features)
    flags, experiments, rollouts = _flags(writer)
    groups = _groups(writer, experiments)
    holdouts, local = _holdouts(
        writer, flags, experiments + [one for group in groups for one in group["experiments"]], rollouts
    )
    datafile: Json = {
        "version": choice.choice(["4", "4", "4", "3", "2"]),
        "revision": "7",
        "accountId": "222",
        "projectId": "111",
        "anonymizeIP": False,
        "sendFlagDecisions": writer.likely(0.5, "datafile: sendFlagDecisions"),
        "featureFlags": flags,
        "experiments": experiments,
        "groups": groups,
        "rollouts": rollouts,
        "audiences": legacy,
        "typedAudiences": typed,
        "attributes": [{"id": f"a{place}", "key": name} for place, name in enumerate(words.ATTRIBUTES)],
        "events": [],
        "holdouts": holdouts,
        "localHoldouts": local,
    }
    names = Names(
        flag_keys=tuple(dict.fromkeys(flag["key"] for flag in flags)),
        rule_keys=tuple(rule["key"] for rule in writer.rules),
        experiment_ids=tuple(rule["id"] for rule in writer.rules if rule["id"].startswith("1")),
        variation_ids=tuple(one["id"] for rule in writer.rules for one in rule["variations"]),
    )
    loosen(choice, datafile, writer.features)
    return Written(datafile=datafile, names=names, features=writer.features)


def _flags(writer: _Writer) -> tuple[list[Json], list[Json], list[Json]]:
    flags: list[Json] = []
    experiments: list[Json] = []
    rollouts: list[Json] = []
    for number in range(writer.choice.randint(1, 4)):
        variables = writer.variables(f"f{number}")
        own = [
            writer.experiment(f"1{number}{place}", variables) for place in range(writer.choice.choice([0, 1, 1, 2, 3]))
        ]
        # What a feature rollout adds depends on the flag, so that only other types are shared (docs/differential.md).
        shareable = [one["id"] for one in experiments if one.get("type") != "fr"]
        experiments += own
        ids = [one["id"] for one in own]
        if shareable and writer.likely(0.15, "flag: shares an experiment"):
            ids.insert(writer.choice.randint(0, len(ids)), writer.choice.choice(shareable))
        if ids and writer.likely(0.05, "flag: names an experiment twice"):
            ids.append(ids[0])
        flag = {
            "id": f"f{number}",
            "key": f"flag-{number}",
            "experimentIds": ids,
            "rolloutId": "",
            "variables": variables,
        }
        if writer.likely(0.8, "flag: rollout"):
            flag["rolloutId"] = f"ro{number}"
            deliveries = range(writer.choice.choice([0, 1, 1, 2, 3]))
            rules = [writer.experiment(f"5{number}{place}", variables) for place in deliveries]
            rollouts.append({"id": f"ro{number}", "experiments": rules})
        flags.append(flag)
    return flags, experiments, rollouts


def _groups(writer: _Writer, experiments: list[Json]) -> list[Json]:
    if len(experiments) < 2 or not writer.likely(0.35):
        return []
    policy = writer.choice.choice(["random", "random", "overlapping"])
    writer.features.add(f"group: {policy}")
    members = writer.choice.sample(experiments, 2)
    for member in members:
        if not writer.likely(0.05, "group: experiment also outside of it"):
            experiments.remove(member)
    ids = [*(one["id"] for one in members), "", "gone"]
    ends = writer.choice.choice(words.ENDS)
    traffic = [{"entityId": ids[place % len(ids)], "endOfRange": end} for place, end in enumerate(ends)]
    return [{"id": "g1", "policy": policy, "trafficAllocation": traffic, "experiments": members}]


def _holdouts(
    writer: _Writer, flags: list[Json], experiments: list[Json], rollouts: list[Json]
) -> tuple[list[Json], list[Json]]:
    variables = flags[0]["variables"]
    everywhere = [writer.holdout(f"8{place}", variables) for place in range(writer.choice.choice([0, 0, 0, 1, 2]))]
    rule_ids = [one["id"] for one in experiments] + [one["id"] for layer in rollouts for one in layer["experiments"]]
    local = []
    for place in range(writer.choice.choice([0, 0, 0, 1, 2]) if rule_ids else 0):
        included = [writer.choice.choice([*rule_ids, "gone"]) for _ in range(writer.choice.choice([0, 1, 1, 2, 3]))]
        local.append(writer.holdout(f"9{place}", variables, includedRules=included))
    for feature, there in (("holdout: global", everywhere), ("holdout: local", local)):
        if there:
            writer.features.add(feature)
    if everywhere and writer.likely(0.05, "holdout: global with rules"):
        everywhere[0]["includedRules"] = rule_ids[:1]
    if local and writer.likely(0.05, "holdout: local without rules"):
        local[0].pop("includedRules")
    return everywhere, local
