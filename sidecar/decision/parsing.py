"""From a datafile's bytes to its entities, each still as bytes.

Accepted or rejected as a whole here, and nowhere else. A scan of each section finds where its entities are, then
each is looked at alone, so that a thread that parses never holds the interpreter for long. Rules:
docs/semantics.md F1 to F5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct, field

from sidecar.decision.datafile import Datafile, Entity, Warnings
from sidecar.decision.entities import EVENT, GROUP, IDENTITY, JSON_ERRORS, EntityBroken, broken
from sidecar.decision.sections import members
from sidecar.errors import DatafileRejected
from sidecar.limits import DATAFILE_BYTES_MAX, MIB
from sidecar.values import Pause, no_pause

VERSIONS: Final = ("2", "3", "4")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SHOWN_CHARACTERS_MAX: Final = 100
SECTIONS_BYTES_MIN: Final = 1 * MIB
"""A smaller body is scanned in one step: a millisecond."""

_Text = str | int | float | None
_List = list[Raw] | None


class _Header(Struct, frozen=True, gc=False, rename="camel"):
    version: _Text = None
    revision: _Text = None
    account_id: _Text = None
    project_id: _Text = None
    sdk_key: _Text = None
    environment_key: _Text = None
    region: _Text = None
    anonymize_ip: bool | None = field(default=None, name="anonymizeIP")
    bot_filtering: bool | None = None
    send_flag_decisions: bool | None = None
    feature_flags: _List = None
    experiments: _List = None
    groups: _List = None
    rollouts: _List = None
    audiences: _List = None
    typed_audiences: _List = None
    holdouts: _List = None
    local_holdouts: _List = None
    attributes: _List = None
    events: _List = None


_HEADER: Final = msgspec.json.Decoder(_Header)
_SECTION: Final = msgspec.json.Decoder(_List)
_SECTIONS: Final[Mapping[str, str]] = {
    one.encode_name: one.name for one in msgspec.structs.fields(_Header) if one.type == _List
}
"""The fields of the header that are lists, by their JSON names."""


def parse(body: bytes, pause: Pause = no_pause) -> Datafile:
    """Read a datafile's shape and index its entities; `pause` is called after the scan and after each entity.

    Raises DatafileRejected when it is too large, no JSON, of the wrong shape at the top, of an unknown
    version or without a revision. Everything below the top is read leniently and warned of. Source:
    docs/semantics.md F1 to F5.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    header = _read_header(body, pause)
    pause()
    warnings = Warnings()
    audiences = indexed("audiences", header.audiences, "id", warnings, pause)
    audiences.update(indexed("typedAudiences", header.typed_audiences, "id", warnings, pause))
    experiments = indexed("experiments", header.experiments, "id", warnings, pause)
    experiments.update(_grouped(header.groups, warnings, pause))
    return Datafile(
        body=body,
        revision=_text(header.revision),
        account_id=_text(header.account_id),
        project_id=_text(header.project_id),
        sdk_key=_text(header.sdk_key),
        environment_key=_text(header.environment_key),
        region=_text(header.region).upper() or "US",
        anonymize_ip=bool(header.anonymize_ip),
        bot_filtering=header.bot_filtering,
        send_flag_decisions=bool(header.send_flag_decisions),
        flags=indexed("featureFlags", header.feature_flags, "key", warnings, pause),
        experiments=experiments,
        rollouts=indexed("rollouts", header.rollouts, "id", warnings, pause),
        audiences=audiences,
        holdouts=listed("holdouts", header.holdouts),
        local_holdouts=listed("localHoldouts", header.local_holdouts),
        attribute_ids=_ids_by_key("attributes", header.attributes, warnings, pause),
        event_ids=_ids_by_key("events", header.events, warnings, pause),
        event_experiments=_event_experiments(header.events, pause),
        warnings=warnings.all(),
    )


def _read_header(body: bytes, pause: Pause) -> _Header:
    if len(body) > DATAFILE_BYTES_MAX:
        raise DatafileRejected("", f"{len(body)} bytes", f"at most {DATAFILE_BYTES_MAX}")
    try:
        header = _by_section(body, pause) if len(body) >= SECTIONS_BYTES_MIN else None
        if header is None:
            header = _HEADER.decode(body)
    except JSON_ERRORS as error:
        fault = broken(error)
        wanted = fault.wanted if fault.path else "a JSON object"
        raise DatafileRejected(fault.path, fault.got, wanted) from None
    if _text(header.version) not in VERSIONS:  # F2
        raise DatafileRejected("version", _shown(header.version), "2, 3 or 4")
    if header.revision is None:
        raise DatafileRejected("revision", "absent", "a string")
    return header


def _by_section(body: bytes, pause: Pause) -> _Header | None:
    """The same header in steps: its lists one after another, then the little that is left; None leaves it to one step.

    Why: the scan of ten megabytes is more than ten milliseconds, for which the interpreter does nothing else.
    """
    found = members(body, pause)
    if found is None:
        return None
    lists: dict[str, _List] = {}
    for json_name, name in _SECTIONS.items():
        view = found.pop(json_name, None)
        if view is not None:
            try:
                lists[name] = _SECTION.decode(view)
            except JSON_ERRORS:
                return None
            pause()
    rest = b",".join(msgspec.json.encode(key) + b":" + bytes(view) for key, view in found.items())
    return msgspec.structs.replace(_HEADER.decode(b"{%b}" % rest), **lists)


def _shown(value: _Text) -> str:
    return "absent" if value is None else f"`{_text(value)[:_SHOWN_CHARACTERS_MAX]}`"


def _text(value: _Text) -> str:
    # F3: a number is read as its string.
    return "" if value is None else str(value)


def listed(section: str, raws: Iterable[Raw] | None) -> tuple[Entity, ...]:
    """The entities of one list in its order, each with its place."""
    return tuple(Entity(section, index, raw) for index, raw in enumerate(raws or ()))


def indexed(
    section: str,
    raws: Iterable[Raw] | None,
    by: Literal["id", "key"],
    warnings: Warnings,
    pause: Pause = no_pause,
    *,
    strict: bool = False,
) -> dict[str, Entity]:
    """Find the entities of one list by id or key.

    Of two with the same, the last is used in the first one's place (F5). One that cannot be found so is left
    out with a warning; with `strict`, it raises EntityBroken, path complete.
    """
    entities: dict[str, Entity] = {}
    for entity in listed(section, raws):
        pause()
        try:
            identity = IDENTITY.read(entity.raw)
        except EntityBroken as error:
            fault = error.within(entity.path)
            if strict:
                raise fault from None
            warnings.add(fault.path, f"is {fault.got}, wanted {fault.wanted}; the entity is left out")
            continue
        name = identity.key if by == "key" else identity.id
        if not name:
            if strict:
                raise EntityBroken(f"{entity.path}.{by}", "absent", "a string")
            warnings.add(f"{entity.path}.{by}", "is absent; the entity is left out")
            continue
        if name in entities:
            warnings.add(f"{entity.path}.{by}", f"`{name}` is there twice; the last one is used")
        entities[name] = entity
    return entities


def _grouped(raws: Iterable[Raw] | None, warnings: Warnings, pause: Pause) -> dict[str, Entity]:
    experiments: dict[str, Entity] = {}
    for place in indexed("groups", raws, "id", warnings).values():
        try:
            group = GROUP.read(place.raw)
        except EntityBroken as error:
            fault = error.within(place.path)
            warnings.add(fault.path, f"is {fault.got}, wanted {fault.wanted}; the group's experiments are left out")
            continue
        # Its experiments are dropped from what each of them keeps; their own raws stay.
        shared = msgspec.structs.replace(group, experiments=[])
        own = indexed(f"{place.path}.experiments", group.experiments, "id", warnings, pause)
        for id_, entity in own.items():
            experiments[id_] = msgspec.structs.replace(entity, group=shared)
    return experiments


def _ids_by_key(section: str, raws: Iterable[Raw] | None, warnings: Warnings, pause: Pause) -> dict[str, str]:
    ids: dict[str, str] = {}
    for key, entity in indexed(section, raws, "key", warnings, pause).items():
        ids[key] = IDENTITY.read(entity.raw).id
        pause()
    return ids


def _event_experiments(raws: Iterable[Raw] | None, pause: Pause) -> dict[str, tuple[str, ...]]:
    """The ids of the experiments that each event measures, by the event's key; one that cannot be read measures none.

    Without warnings: `_ids_by_key` has given those of the list, and nothing is decided by what an event measures.
    """
    measured: dict[str, tuple[str, ...]] = {}
    # Why: an experiment is measured by many events; each id is kept once.
    ids: dict[str, str] = {}
    for raw in raws or ():
        pause()
        try:
            event = EVENT.read(raw)
        except EntityBroken:
            continue
        experiment_ids = tuple(ids.setdefault(id_, id_) for id_ in event.experiment_ids)
        if experiment_ids and event.key:
            measured[event.key] = experiment_ids
        else:
            measured.pop(event.key, None)
    return measured
