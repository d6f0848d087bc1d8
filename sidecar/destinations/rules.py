"""The section `rules` of a destination of any type: what it may say, every mistake in it, and what it compiles to.

What the rules mean: docs/rules.md; what does the work: `sidecar.events.rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Final, cast

from sidecar.config import Secret
from sidecar.errors import ConfigInvalid
from sidecar.events.model import EventKind
from sidecar.events.money import MONEY_KEYS
from sidecar.events.paths import Every, Node, Step, parse
from sidecar.events.rules import HASHES, KEPT, MAPS, REVENUE, TEXTS, Names, Rules
from sidecar.limits import DEPTH_MAX, KEY_BYTES_MAX, RULES_HASH_KEY_BYTES_MIN
from sidecar.values import Value

_INTEGRATIONS: Final = "integrations"
_EVERYBODY: Final = 100.0
"""Percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesSection:
    """Which events a destination gets, and what is changed in them before they leave."""

    allow_kinds: tuple[EventKind, ...] = ()
    """Kinds that go there; none = all that its type takes."""
    deny_kinds: tuple[EventKind, ...] = ()
    """Kinds that do not, also when they are allowed."""
    allow_events: tuple[str, ...] = ()
    """Event keys of Tracks that go there, exact or a beginning and `*`; none = all. Other kinds have no event key and
    are not held back."""
    deny_events: tuple[str, ...] = ()
    """Event keys of Tracks that do not, also when they are allowed."""
    sample_percent: float = _EVERYBODY
    """Share of users whose events go there, 0 to 100, decimals allowed. A user is in or out for good."""
    sample_salt: str = ""
    """Text that chooses other users for the same share. Destinations with the same one sample the same users."""
    drop: tuple[str, ...] = ()
    """Paths of what is left out, as `context.ip` or `properties.products[].cost`."""
    hash: tuple[str, ...] = ()
    """Paths of what is replaced by its HMAC-SHA256, as `user_id` or `traits.email`. Needs `hash_key`."""
    hash_key: Secret | None = None
    """Key of these hashes, at least 16 bytes. Another key makes other hashes of the same users."""
    rename: dict[str, str] = field(default_factory=dict)
    """New keys by path: `{traits.mail: email}` renames the last key of the path, in its place."""
    context: dict[str, object] = field(default_factory=dict)
    """What is added to the `context` of each event where the event itself says nothing else."""

    def __post_init__(self) -> None:
        """Raise `ConfigInvalid` with every mistake, each under its path within the section."""
        problems = [
            *self._wrong_names(),
            *self._wrong_sample(),
            *self._wrong_paths(),
            *self._wrong_hashes(),
            *_wrong_values(self.context, "context", 0),
        ]
        if not isinstance(self.context.get(_INTEGRATIONS, {}), Mapping):
            problems.append("context.integrations is no mapping, wanted true or false by name")
        if problems:
            raise ConfigInvalid(problems)

    def compiled(self) -> Rules:
        """The rules, ready to be asked."""
        tree = Node()
        for path in self.drop:
            tree.grown(parse(path)).dropped = True
        for path in self.hash:
            tree.grown(parse(path)).hashed = True
        for path, key in self.rename.items():
            tree.grown(parse(path)).renamed = key
        return Rules(
            kinds=(frozenset(self.allow_kinds) or frozenset(EventKind)) - frozenset(self.deny_kinds),
            allowed=Names.of(self.allow_events),
            denied=Names.of(self.deny_events),
            sampled_below=round(self.sample_percent * HASHES / _EVERYBODY),
            sample_salt=self.sample_salt,
            tree=tree,
            hash_key=self.hash_key.reveal().encode() if self.hash_key else b"",
            context=cast("Mapping[str, Value]", self.context),
        )

    def _wrong_names(self) -> Iterator[str]:
        for where, patterns in (("allow_events", self.allow_events), ("deny_events", self.deny_events)):
            for at, pattern in enumerate(patterns):
                if not pattern or "*" in pattern[:-1]:
                    yield f"{where}[{at}] is `{pattern}`, wanted an event key, or a beginning and one `*` at its end"

    def _wrong_sample(self) -> Iterator[str]:
        if not 0 <= self.sample_percent <= _EVERYBODY:
            yield f"sample_percent is {self.sample_percent:g}, wanted 0 to 100"

    def _wrong_hashes(self) -> Iterator[str]:
        if self.hash and self.hash_key is None:
            yield "hash_key is missing, wanted a key for what `hash` names: without one, hashes can be guessed back"
        if self.hash_key is not None and not self.hash:
            yield "hash_key is given without hash, wanted both or none"
        if self.hash_key is not None and len(self.hash_key.reveal().encode()) < RULES_HASH_KEY_BYTES_MIN:
            yield f"hash_key is short, wanted at least {RULES_HASH_KEY_BYTES_MIN} bytes"

    def _wrong_paths(self) -> Iterator[str]:
        """Every path that leads nowhere, and paths that are at odds with each other."""
        places: dict[tuple[Step, ...], str] = {}
        new: dict[tuple[Step, ...], str] = {}
        for where, path, renamed in self._paths():
            steps = _steps(path)
            if isinstance(steps, str):
                yield f"{where} {steps}"
                continue
            yield from (f"{where} {wrong}" for wrong in _wrong_place(steps, where.partition("[")[0], renamed))
            if renamed is None:
                earlier = places.setdefault(steps, where)
                if earlier != where:
                    yield f"{where} is `{path}`, which {earlier} names already"
                continue
            if places.get(steps, "").startswith("drop"):
                yield f"{where} is dropped by {places[steps]}, wanted one of both"
            earlier = new.setdefault((*steps[:-1], renamed), where)
            if earlier != where:
                yield f"{where} is `{renamed}`, as {earlier} is, wanted each new key once"

    def _paths(self) -> Iterator[tuple[str, str, str | None]]:
        """Where a path stands in the section, the path, and its new key when it is renamed."""
        yield from ((f"drop[{at}]", path, None) for at, path in enumerate(self.drop))
        yield from ((f"hash[{at}]", path, None) for at, path in enumerate(self.hash))
        yield from ((f"rename.{path}", path, key) for path, key in self.rename.items())


def _steps(path: str) -> tuple[Step, ...] | str:
    """The steps of a path, or what is wrong with it."""
    try:
        return parse(path)
    except ValueError as wrong:
        return f"{wrong}, wanted one as `properties.products[].name`"


def _wrong_place(steps: tuple[Step, ...], what: str, renamed: str | None) -> Iterator[str]:
    """What of a path does not go with what is done there: `what` is `drop`, `hash` or `rename.…`."""
    root, last = steps[0], steps[-1]
    if root not in MAPS | TEXTS | {REVENUE}:
        known = ", ".join(f"`{one}`" for one in sorted(MAPS | TEXTS | {REVENUE}))
        yield f"begins with `{root.value if isinstance(root, Every) else root}`, wanted one of {known}"
    elif root not in MAPS and len(steps) > 1:
        yield f"goes into `{root}`, which is one value and has nothing in it"
    elif steps[:2] == ("context", _INTEGRATIONS):
        yield "changes `integrations`, which say where an event goes, wanted another path"
    elif renamed is not None:
        if len(steps) == 1 or isinstance(last, Every):
            yield "names no key of a map, wanted a path that ends with one"
        if not renamed or len(renamed.encode()) > KEY_BYTES_MAX:
            yield f"is `{renamed[:60]}`, wanted a key of 1 to {KEY_BYTES_MAX} bytes"
    elif what == "drop" and root in KEPT:
        yield f"is `{root}`, which an event cannot go without, wanted it hashed or its kind denied"
    elif what == "hash" and (root == REVENUE or (root in ("event_tags", "properties") and last in MONEY_KEYS)):
        yield "is an amount, wanted it dropped: a hash is no amount"


def _wrong_values(given: Mapping[str, object], where: str, depth: int) -> Iterator[str]:
    """Every value that JSON cannot say. Why not shown: it may be anything, a secret too."""
    if depth > DEPTH_MAX:
        yield f"{where} is nested more than {DEPTH_MAX} deep"
        return
    for key, value in given.items():
        yield from _wrong_value(value, f"{where}.{key}", depth)


def _wrong_value(value: object, where: str, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _wrong_values(value, where, depth + 1)
    elif isinstance(value, list):
        yield from _wrong_items(value, where, depth + 1)
    elif not isinstance(value, str | bool | int | float) or (isinstance(value, float) and not isfinite(value)):
        yield f"{where} is of a kind that an event cannot hold, wanted text, a number, a boolean, a list or a mapping"


def _wrong_items(items: Iterable[object], where: str, depth: int) -> Iterator[str]:
    if depth > DEPTH_MAX:
        yield f"{where} is nested more than {DEPTH_MAX} deep"
        return
    for at, item in enumerate(items):
        yield from _wrong_value(item, f"{where}[{at}]", depth)
