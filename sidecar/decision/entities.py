"""The entities of a datafile as they are written, decoded one at a time, and how leniently they are read.

Only shapes live here: what an entity means is in `compiling`. Rules: docs/semantics.md F1 to F8. A `Raw` is a
view of the datafile's bytes, so that what is read again on demand (explanations, GetConfig) costs no second
copy.
"""

from __future__ import annotations

import json
import re
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct, field

from sidecar.limits import CONDITION_DEPTH_MAX

Json: TypeAlias = Any
"""Any JSON value, not looked at yet."""

JSON_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding can raise: malformed JSON, a wrong shape, no UTF-8, too large a number or depth."""

_EMPTY_LIST = Raw(b"[]")
_TEXT_KEYS = frozenset(
    {
        "id",
        "key",
        "status",
        "layerId",
        "type",
        "subType",
        "entityId",
        "value",
        "defaultValue",
        "rolloutId",
        "policy",
        "name",
        "audienceIds",
        "experimentIds",
        "includedRules",
        "forcedVariations",
    }
)
_CONDITION_KEYS = frozenset({"conditions", "audienceConditions"})
_MISMATCH = re.compile(r"Expected `(?P<wanted>.*)`, got `(?P<got>.*?)`(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_JSON_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


class EntityBroken(Exception):
    """One entity cannot be read; whatever needs it is disabled, the rest of the datafile is not.

    `path` is relative to the entity at first and is completed by who knows where the entity stands.
    """

    def __init__(self, path: str, got: str, wanted: str) -> None:
        self.path, self.got, self.wanted = path, got, wanted
        super().__init__(f"{path} is {got}, wanted {wanted}")

    def within(self, place: str) -> EntityBroken:
        """The same fault, named from the root of the datafile."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return EntityBroken(f"{place}{dot}{self.path}", self.got, self.wanted)


class Identity(Struct, frozen=True, gc=False):
    """What every entity is found by; flags, attributes and events by key, all else by id."""

    id: str = ""
    key: str = ""


class Allocation(Struct, frozen=True, gc=False, rename="camel"):
    """One traffic range.

    It ends before `end_of_range`, in hundredths of a percent, and begins where the last ended.
    """

    entity_id: str = ""
    end_of_range: int | float = 0


class Usage(Struct, frozen=True, gc=False):
    """The value that one variation gives to one variable, by the variable's id."""

    id: str = ""
    value: str = ""


class Variation(Struct, frozen=True, gc=False, rename="camel"):
    """One arm of a rule; `variables` stays raw and is read when its values are typed."""

    id: str = ""
    key: str = ""
    feature_enabled: bool = False
    variables: Raw = _EMPTY_LIST


class Rule(Struct, frozen=True, gc=False, rename="camel"):
    """An experiment, a rollout's rule or a holdout.

    The fields that only one of them has are empty in the others.
    """

    id: str = ""
    key: str = ""
    status: str = ""
    layer_id: str = ""
    type: str = ""
    audience_ids: list[str] = []
    audience_conditions: Any = None
    variations: list[Variation] = []
    forced_variations: dict[str, str] = {}
    traffic_allocation: list[Allocation] = []
    cmab: Any = None
    included_rules: list[str] | None = None
    exclude_targeted_deliveries: bool = False


class Variable(Struct, frozen=True, gc=False, rename="camel"):
    """One variable of a flag; its value is text until it is typed."""

    id: str = ""
    key: str = ""
    type: str = ""
    sub_type: str = ""
    default_value: str = ""


class Flag(Struct, frozen=True, gc=False, rename="camel"):
    """One feature flag and the rules that it names."""

    id: str = ""
    key: str = ""
    experiment_ids: list[str] = []
    rollout_id: str = ""
    variables: list[Variable] = []


class Group(Struct, frozen=True, gc=False, rename="camel"):
    """Experiments that share traffic; they exclude one another when `policy` is `random`."""

    id: str = ""
    policy: str = ""
    traffic_allocation: list[Allocation] = []
    experiments: list[Raw] = []


class Rollout(Struct, frozen=True, gc=False):
    """The delivery rules of a flag, the last one for everyone else."""

    id: str = ""
    experiments: list[Raw] = []


class Audience(Struct, frozen=True, gc=False):
    """A named tree of conditions: JSON in a string when untyped, JSON itself when typed."""

    id: str = ""
    name: str = ""
    conditions: Any = field(default_factory=list)


class MeasuredEvent(Struct, frozen=True, gc=False, rename="camel"):
    """One event that can be tracked, and the experiments it measures."""

    key: str = ""
    experiment_ids: list[str] = []


class EventList(Struct, frozen=True, gc=False):
    """The events of a datafile and nothing else of it."""

    events: list[Raw] | None = None


Shape = TypeVar("Shape")


class Reader(Generic[Shape]):
    """Reads entities of one shape.

    At full speed when they are as Optimizely writes them, leniently otherwise (F3).
    """

    def __init__(self, shape: type[Shape]) -> None:
        self._decoder: msgspec.json.Decoder[Shape] = msgspec.json.Decoder(shape)

    def read(self, raw: Raw) -> Shape:
        """Decode one entity. Raises EntityBroken with the path inside it."""
        try:
            return self._decoder.decode(raw)
        except JSON_ERRORS:
            # The second reading is slow and rare; it accepts numbers as strings and null as absent.
            pass
        try:
            return self._decoder.decode(json.dumps(_lenient(json.loads(bytes(raw)), text=False)).encode())
        except JSON_ERRORS as error:
            raise broken(error) from None


def broken(error: Exception) -> EntityBroken:
    """Turn a decoder's complaint into where, got and wanted, in JSON's words."""
    mismatch = _MISMATCH.match(str(error))
    if mismatch is None:
        return EntityBroken("", f"unreadable ({error})", "JSON of the documented shape")
    wanted = " or ".join(_JSON_NAMES.get(name, name) for name in mismatch["wanted"].split(" | ") if name != "null")
    got = _JSON_NAMES.get(mismatch["got"], mismatch["got"])
    return EntityBroken((mismatch["path"] or "").removeprefix("."), f"`{got}`", wanted)


def _lenient(node: Json, *, text: bool) -> Json:
    """Drop nulls and write numbers as strings where text is wanted.

    Conditions keep their values as they are.
    """
    if isinstance(node, dict):
        return {
            key: child if key in _CONDITION_KEYS else _lenient(child, text=text or key in _TEXT_KEYS)
            for key, child in node.items()
            if child is not None
        }
    if isinstance(node, list):
        return [_lenient(child, text=text) for child in node]
    if text and isinstance(node, int | float) and not isinstance(node, bool):
        return str(node)
    return node


def depth_of(tree: Json) -> int:
    """How deep lists nest in a tree of conditions, counted no further than one past the bound."""
    depth, level = 0, [tree]
    while depth <= CONDITION_DEPTH_MAX:
        level = [child for node in level if isinstance(node, list) for child in node]
        if not level:
            return depth
        depth += 1
    return depth


IDENTITY = Reader(Identity)
RULE = Reader(Rule)
FLAG = Reader(Flag)
GROUP = Reader(Group)
ROLLOUT = Reader(Rollout)
AUDIENCE = Reader(Audience)
USAGES = Reader(list[Usage])
EVENT = Reader(MeasuredEvent)
EVENTS = msgspec.json.Decoder(EventList)
