"""What one destination wants changed or left out before an event leaves: filters, a sample of users, a new shape.

Pure, and the same at each attempt: filters and the sample are asked when an event is accepted, the shape is made
whenever it is rendered. Made by `destinations.rules` of a checked section. Rules: docs/rules.md.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final, TypeAlias, TypeVar, get_args

import mmh3
from msgspec.structs import replace

from sidecar.events.model import Event, EventKind, Origin, kind_of
from sidecar.events.paths import Node, reshaped
from sidecar.events.wire import encode
from sidecar.values import Money, Value

SAMPLE_SEED: Final = 0x53414D50
"""Seed of the sample's hash. Another than Optimizely's (1), so that a sample holds its share of every variation.

Part of the contract: another value would put other users in every sample.
"""
HASHES: Final = 2**32

MAPS: Final = frozenset({"attributes", "event_tags", "properties", "traits", "context"})
"""Roots that hold values by key."""
TEXTS: Final = frozenset({"user_id", "anonymous_id", "previous_id", "group_id", "name", "category"})
"""Roots that are one text each."""
KEPT: Final = frozenset({"previous_id", "group_id"})
"""Of these, what a kind is about: it can be hashed, not dropped."""
REVENUE: Final = "revenue"
"""The root that can only be dropped: the typed amount of a Track."""

_ROOTS: Final = MAPS | TEXTS | {REVENUE}
_OWN_FIELDS: Final = {
    kind: tuple(name for name in kind.__struct_fields__ if name in _ROOTS) for kind in get_args(Event)
}
_ORIGIN_FIELDS: Final = tuple(name for name in Origin.__struct_fields__ if name in _ROOTS)
_INTEGRATIONS: Final = "integrations"

Field: TypeAlias = Mapping[str, Value] | str | Money | None
PartT = TypeVar("PartT", Origin, Event)


@dataclass(frozen=True, slots=True)
class Names:
    """Names of events: exact ones, and the beginnings of others."""

    exact: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Names:
        """`purchase` is that name, `checkout_*` every one that begins so."""
        some = tuple(patterns)
        prefixes = tuple(one.removesuffix("*") for one in some if one.endswith("*"))
        return cls(frozenset(one for one in some if not one.endswith("*")), prefixes)

    def hold(self, name: str) -> bool:
        """Whether the name is among them."""
        return name in self.exact or name.startswith(self.prefixes)

    def __bool__(self) -> bool:
        return bool(self.exact or self.prefixes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one destination, compiled.

    `sampled_below` of the `HASHES` are in the sample. `tree` has a node for each root that a path begins with.
    """

    kinds: frozenset[EventKind] = frozenset(EventKind)
    allowed: Names = Names()
    denied: Names = Names()
    sampled_below: int = HASHES
    sample_salt: str = ""
    tree: Node = field(default_factory=Node)
    hash_key: bytes = field(default=b"", repr=False)
    context: Mapping[str, Value] = field(default_factory=dict)

    def want(self, kind: EventKind, event_key: str) -> bool:
        """Whether the filters let an event through: its kind and, of a Track, its event key."""
        if kind is not EventKind.TRACK:
            return kind in self.kinds
        named = not self.denied.hold(event_key) and (not self.allowed or self.allowed.hold(event_key))
        return kind in self.kinds and named

    @property
    def read_values(self) -> bool:
        """Whether more than an event's kind and key matters: who its user is, or what it holds."""
        return self.sampled_below < HASHES or bool(self.context or self.tree.keys)

    def sample(self, event: Event) -> bool:
        """Whether the event's user is in the sample: the user id, else the anonymous id, as it was accepted."""
        if self.sampled_below >= HASHES:
            return True
        name = f"{self.sample_salt}:{event.origin.visitor_id}"
        # Why bytes: mmh3 5.3.1 crashes on a str with a lone surrogate.
        return mmh3.hash(name.encode(errors="surrogatepass"), SAMPLE_SEED, signed=False) < self.sampled_below

    def reshaped(self, event: Event) -> Event:
        """The event as the destination is to see it; the same event gives the same one.

        An id that is dropped is empty then, also where it was the only one: `has_user` tells.
        """
        origin = self._part(event.origin, _ORIGIN_FIELDS)
        if self.context:
            origin = replace(origin, context=merged(self.context, origin.context))
        changed = self._part(event, _OWN_FIELDS[type(event)])
        if origin is event.origin and changed is event:
            return event
        # What a rule adds is not in the request, whose size no longer bounds what is sent.
        return replace(changed, origin=replace(origin, request_bytes=0))

    def hashed(self, value: Value) -> Value:
        """HMAC-SHA256 of a text, or of a number or bool as JSON says it, in 64 hexadecimal digits.

        Of a list or map each scalar in it; null, and what JSON cannot say, is null.
        """
        if isinstance(value, dict):
            return {key: self.hashed(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.hashed(one) for one in value]
        if value is None or (isinstance(value, float) and not isfinite(value)):
            return None
        said = value.encode(errors="surrogatepass") if isinstance(value, str) else encode(value)
        return hmac.digest(self.hash_key, said, "sha256").hex()

    def _part(self, part: PartT, names: Iterable[str]) -> PartT:
        changed: dict[str, Any] = {
            name: self._field(name, node, getattr(part, name))
            for name in names
            if (node := self.tree.keys.get(name)) is not None
        }
        return replace(part, **changed) if changed else part

    def _field(self, name: str, node: Node, value: Field) -> Field:
        if isinstance(value, Mapping):
            return self._map(name, node, value)
        if isinstance(value, str) and value:
            return "" if node.dropped else str(self.hashed(value))
        return None if node.dropped and name == REVENUE else value

    def _map(self, name: str, node: Node, values: Mapping[str, Value]) -> Mapping[str, Value]:
        if not values:
            return values
        if node.dropped:
            changed: dict[str, Value] = {}
        elif node.hashed:
            changed = {key: self.hashed(value) for key, value in values.items()}
        else:
            changed = reshaped(values, (node,), self.hashed)
        # Where an event goes is the caller's to say: no rule changes that on the way.
        if name == "context" and _INTEGRATIONS in values:
            changed[_INTEGRATIONS] = values[_INTEGRATIONS]
        return changed


def merged(below: Mapping[str, Value], above: Mapping[str, Value]) -> Mapping[str, Value]:
    """Both maps, maps within them merged too; where both have a value, that of `above`."""
    if not above:
        return below
    both = {**below, **above}
    for key, value in below.items():
        over = above.get(key)
        if isinstance(value, dict) and isinstance(over, dict):
            both[key] = dict(merged(value, over))
    return both


def has_user(event: Event) -> bool:
    """Whether an event still says whose it is; an Alias must say so by its user id."""
    if kind_of(event) is EventKind.ALIAS:
        return bool(event.origin.user_id)
    return bool(event.origin.visitor_id)
