"""The closed table of differences that are meant, each as the change to the reference that it is.

A ruling is either a datafile that says the same to the SDK in words it reads, or a change to one of the SDK's
functions, written down from the ruling and without our engine. It explains a difference when the SDK *under it* gives
our answer in every field, when nothing less does, and when the SDK without it differs in the way it is about.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock

from optimizely.helpers.condition import CustomAttributeConditionEvaluator
from optimizely.project_config import ProjectConfig

from tools.differential import models, rewriting
from tools.differential.answers import Answer, Json, Person, differing
from tools.differential.reference import Reference

_ANSWERED: Final = frozenset({"variables"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One row. `rewrite` says the datafile anew, `replace` is (class, method, model); without both nothing may differ.

    `about` tells from our answer and the SDK's whether the difference is of the kind that the ruling is about.
    """

    id: str
    says: str
    rewrite: Callable[[Json], Json] | None = None
    replace: tuple[Any, str, Callable[..., Any]] | None = None
    about: Callable[[Answer, Answer], bool] = lambda _ours, _theirs: False


def _raised(*errors: str) -> Callable[[Answer, Answer], bool]:
    return lambda _ours, theirs: theirs.problem in {f"raised {error}" for error in errors}


def _unread(_ours: Answer, theirs: Answer) -> bool:
    return theirs.problem == "rejected"


def _variables(ours: Answer, theirs: Answer) -> bool:
    return not theirs.problem and differing(ours, theirs) == _ANSWERED


def _held_out(ours: Answer, theirs: Answer) -> bool:
    return _variables(ours, theirs) and ours.rule_type == "holdout" and ours.enabled


TABLE: Final[tuple[Ruling, ...]] = (
    Ruling(id="R1", says="three-valued logic: the reference's; nothing may differ"),
    Ruling(id="R2", says="only `Running` runs: the reference's; nothing may differ"),
    Ruling(id="R3", says="numbers beyond 2^53 are unknown: the reference's; nothing may differ"),
    Ruling(
        id="R4",
        says="a number is below a word and `²` is no digit, where the SDK raises",
        replace=(CustomAttributeConditionEvaluator, "compare_user_version_with_target_version", models.versions),
        about=_raised("ValueError"),
    ),
    Ruling(
        id="R5",
        says="a list without an operator, or empty, is an `or`, where the SDK raises or rejects",
        rewrite=rewriting.with_operators,
        about=lambda ours, theirs: _raised("IndexError")(ours, theirs) or _unread(ours, theirs),
    ),
    Ruling(
        id="R6",
        says="an unknown operator or match, or a value that does not suit, is unknown, where the SDK raises or rejects",
        rewrite=rewriting.without_unknowns,
        about=lambda ours, theirs: _raised("TypeError")(ours, theirs) or _unread(ours, theirs),
    ),
    Ruling(
        id="R7",
        says="a reference to no experiment or rollout is skipped, where the SDK rejects",
        rewrite=rewriting.without_unknown_references,
        about=_unread,
    ),
    Ruling(
        id="R8",
        says="absent is empty and a number is read as its string, where the SDK rejects or keeps a number",
        rewrite=rewriting.complete,
        about=lambda ours, theirs: _unread(ours, theirs) or _variables(ours, theirs),
    ),
    Ruling(
        id="R9",
        says="a variable's text outside its type's grammar is null",
        replace=(ProjectConfig, "get_typecast_value", models.typed),
        about=_variables,
    ),
    Ruling(
        id="R10",
        says="an enabled holdout gives the defaults",
        replace=(ProjectConfig, "get_variable_value_for_variation", models.value_of),
        about=_held_out,
    ),
    Ruling(id="R11", says="an empty user id is refused by the service; the engine decides it as the reference does"),
    Ruling(id="R12", says="event tags: not a decision"),
    Ruling(id="R13", says="no `match` is exact: the reference's; nothing may differ"),
    Ruling(id="R14", says="`qualified` for both types: the reference's; nothing may differ"),
    Ruling(
        id="R15",
        says="a contextual bandit is skipped where it would choose",
        rewrite=rewriting.without_bandits,
        # Whatever the SDK says: it also reads and evaluates the audience of a rule that cannot answer here.
        about=lambda _ours, _theirs: True,
    ),
    Ruling(id="R16", says="impressions of the Classic calls: not a decision"),
)
ACTING: Final = tuple(ruling for ruling in TABLE if ruling.rewrite or ruling.replace)


class Explainer:
    """Explains differences of one datafile, keeping the SDK's clients for what the rulings make of it."""

    def __init__(self, datafile: Json) -> None:
        self._datafile = datafile
        self._clients: dict[str, Reference] = {}
        self._changing: tuple[Ruling, ...] | None = None

    def explain(self, ours: Answer, theirs: Answer, person: Person, flag_key: str) -> tuple[str, ...]:
        """The ids of the rulings that together explain the difference, none of them to spare; empty when none do."""
        needed = self._candidates()
        for ruling in needed:
            if ruling.about(ours, theirs) and self._under((ruling,), person, flag_key) == ours:
                return (ruling.id,)
        if self._under(needed, person, flag_key) != ours:
            return ()
        for ruling in reversed(needed):
            fewer = tuple(one for one in needed if one is not ruling)
            if self._under(fewer, person, flag_key) == ours:
                needed = fewer
        if not needed or not any(ruling.about(ours, theirs) for ruling in needed):
            return ()
        return tuple(ruling.id for ruling in needed)

    def _candidates(self) -> tuple[Ruling, ...]:
        if self._changing is None:
            self._changing = tuple(
                ruling
                for ruling in ACTING
                if ruling.rewrite is None or ruling.rewrite(self._datafile) != self._datafile
            )
        return self._changing

    def _under(self, rulings: Sequence[Ruling], person: Person, flag_key: str) -> Answer:
        name = " ".join(ruling.id for ruling in rulings if ruling.rewrite is not None)
        with _replaced(rulings):
            client = self._clients.get(name)
            if client is None:
                datafile = self._datafile
                # R8 first: the others look for what it puts in place.
                for ruling in sorted(rulings, key=lambda one: one.id != "R8"):
                    datafile = ruling.rewrite(datafile) if ruling.rewrite is not None else datafile
                client = self._clients[name] = Reference(datafile)
            return client.answer(person, flag_key)


@contextlib.contextmanager
def _replaced(rulings: Sequence[Ruling]) -> Iterator[None]:
    with contextlib.ExitStack() as changes:
        for ruling in rulings:
            if ruling.replace is not None:
                owner, name, model = ruling.replace
                changes.enter_context(mock.patch.object(owner, name, model))
        yield
