"""The audiences of a datafile, compiled when a rule first needs them and shared by all rules that do.

Rules: docs/semantics.md C1 to C4, F6.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sidecar.decision.conditions import OPERATORS, compile_audience, compile_tree, unknown
from sidecar.decision.datafile import Datafile, Warnings
from sidecar.decision.entities import AUDIENCE, JSON_ERRORS, Audience, EntityBroken, Json, Rule, depth_of
from sidecar.decision.matches import Condition
from sidecar.decision.trace import StepKind, Trace, in_words
from sidecar.limits import CONDITION_DEPTH_MAX
from sidecar.values import Value


class Audiences:
    """Compiles who a rule admits.

    With a trace, each audience and each of its conditions writes down its answer.
    """

    def __init__(self, datafile: Datafile, warnings: Warnings, trace: Trace | None) -> None:
        self._entities = datafile.audiences
        self._warnings = warnings
        self._trace = trace
        self._compiled: dict[str, Condition | EntityBroken] = {}

    def of_rule(self, rule: Rule, path: str) -> Condition | None:
        """The condition on a rule at `path`; None when it admits everybody.

        Raises EntityBroken, path complete. `audienceConditions` stands for `audienceIds` unless it is null,
        even when it is empty (C1).
        """
        by_ids = rule.audience_conditions is None
        tree = rule.audience_ids if by_ids else rule.audience_conditions
        if tree == []:
            return None
        place = f"{path}.{'audienceIds' if by_ids else 'audienceConditions'}"
        _check_depth(tree, place)
        return compile_tree(tree, place, self._leaf, OPERATORS.__contains__)

    def _leaf(self, node: Json, path: str) -> Condition:
        if isinstance(node, bool) or not isinstance(node, str | int | float):
            self._warnings.add(path, f"`{node}` is no audience id; it is unknown for every user")
            return unknown
        id_ = str(node)
        if id_ not in self._entities:
            self._warnings.add(path, f"there is no audience `{id_}`; it is unknown for every user")
            return unknown
        found = self._compiled.get(id_)
        if found is None:
            try:
                found = self._compile(id_)
            except EntityBroken as error:
                found = error
            self._compiled[id_] = found
        if isinstance(found, EntityBroken):
            raise EntityBroken(found.path, found.got, found.wanted)
        return found

    def _compile(self, id_: str) -> Condition:
        entity = self._entities[id_]
        try:
            audience = AUDIENCE.read(entity.raw)
        except EntityBroken as error:
            raise error.within(entity.path) from None
        place = f"{entity.path}.conditions"
        tree = read_conditions(audience, place)
        _check_depth(tree, place)
        condition = compile_audience(tree, place, self._warnings.add, self._trace)
        return condition if self._trace is None else _observed(condition, audience, self._trace)


def read_conditions(audience: Audience, path: str) -> Json:
    """An audience's tree, whether it is JSON or JSON within a string. Raises EntityBroken."""
    if not isinstance(audience.conditions, str):
        return audience.conditions
    try:
        return json.loads(audience.conditions)
    except JSON_ERRORS as error:
        raise EntityBroken(path, f"unreadable ({error})", "a list of conditions as JSON") from None


def _check_depth(tree: Json, path: str) -> None:
    if depth_of(tree) > CONDITION_DEPTH_MAX:
        raise EntityBroken(path, "nested deeper", f"at most {CONDITION_DEPTH_MAX} lists in one another")


def _observed(condition: Condition, audience: Audience, trace: Trace) -> Condition:
    def observed(attributes: Mapping[str, Value], segments: frozenset[str] | None) -> bool | None:
        answer = condition(attributes, segments)
        text = f"audience `{audience.name or audience.id}` is {in_words(answer)}"
        trace.note(StepKind.AUDIENCE, audience.id, text, answer=answer)
        return answer

    return observed
