"""What a start is told, read and checked: the settings, and the datafiles and destinations that they name.

Precedence: flags, then `SIDECAR_…` variables, then the YAML file, then the defaults. Every mistake is reported at once
with its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sidecar import config
from sidecar.app.file import read_file
from sidecar.app.settings import Settings
from sidecar.destinations.catalog import TYPES
from sidecar.destinations.rules import RulesSection
from sidecar.errors import ConfigInvalid
from sidecar.sources.file import FileSourceSection
from sidecar.sources.http import HttpSourceSection
from sidecar.sources.optimizely import OptimizelySourceSection

ReadT = TypeVar("ReadT")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatafileSettings:
    """One named datafile: the section of its source, and the destinations of its events (None = all)."""

    name: str
    source: FileSourceSection | HttpSourceSection | OptimizelySourceSection
    destinations: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """One named destination, the section of its type, its rules, if it has any, and the names that it had before."""

    name: str
    type: str
    section: Any
    rules: RulesSection | None = None
    formerly: tuple[str, ...] = ()


_SOURCES = {"path": FileSourceSection, "url": HttpSourceSection, "sdk_key": OptimizelySourceSection}


def load(flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None) -> Settings:
    """The settings of a start. `flags` is a mapping of YAML keys; `file` the YAML file, if any.

    Raises `ConfigInvalid` with every mistake, of each datafile and destination too.
    """
    problems: list[str] = []
    known = list(config.options(Settings))
    layers = (
        _collected(problems, lambda: read_file(file) if file else {}),
        _collected(problems, lambda: config.from_environment(known, environment)),
        flags,
    )
    given = config.merge(*(layer for layer in layers if layer is not None))
    settings = _collected(problems, lambda: config.read(Settings, given))
    lists = _lists_alone(given) if settings is None else settings
    _collected(problems, lambda: destinations_of(lists))
    _collected(problems, lambda: datafiles_of(lists))
    if problems or settings is None:
        raise ConfigInvalid(tuple(dict.fromkeys(problems)))
    return settings


def _collected(problems: list[str], read: Callable[[], ReadT]) -> ReadT | None:
    """What is read, or None when its mistakes were added to the problems."""
    try:
        return read()
    except ConfigInvalid as invalid:
        problems.extend(invalid.problems)
        return None


def _lists_alone(given: Mapping[str, object]) -> Settings:
    """The datafiles and destinations of settings that cannot be read as a whole: their mistakes are to be said too."""
    named, some, kinds = given.get("datafiles"), given.get("destinations"), given.get("destination")
    return Settings(
        destination=tuple(kinds) if isinstance(kinds, list | tuple) else (),
        datafiles=dict(named) if isinstance(named, Mapping) else {},
        destinations=tuple(some) if isinstance(some, list | tuple) else (),
    )


def datafiles_of(settings: Settings) -> tuple[DatafileSettings, ...]:
    """The datafiles of the settings, in their order. Raises `ConfigInvalid`."""
    given: Mapping[str, object] = settings.datafiles
    if settings.datafile:
        # Why any scheme: a path is shown in logs, and the user and password of a URL must not be.
        key = "url" if "://" in settings.datafile else "path"
        given = {"default": {key: settings.datafile}}
    elif settings.sdk_key:
        token = {"access_token": settings.access_token} if settings.access_token else {}
        given = {"default": {"sdk_key": settings.sdk_key, **token}}
    problems: list[str] = []
    found = []
    for name, keys in given.items():
        try:
            found.append(_datafile(name, keys))
        except ConfigInvalid as invalid:
            problems.extend(invalid.problems)
    # By what is written: a destination with a mistake of its own is still one of that name.
    known = [keys.get("name") for keys in _given_destinations(settings) if isinstance(keys, Mapping)]
    for datafile in found:
        problems.extend(
            f"datafiles.{datafile.name}.destinations names `{name}`, which is not among destinations"
            for name in datafile.destinations or ()
            if name not in known
        )
    if problems:
        raise ConfigInvalid(problems)
    return tuple(found)


def destinations_of(settings: Settings) -> tuple[DestinationSettings, ...]:
    """The destinations of the settings, in their order. Raises `ConfigInvalid`."""
    problems: list[str] = []
    found: dict[str, DestinationSettings] = {}
    for at, keys in enumerate(_given_destinations(settings)):
        try:
            one = _destination(keys, f"destinations[{at}]")
        except ConfigInvalid as invalid:
            problems.extend(invalid.problems)
            continue
        if one.name in found:
            problems.append(f"destinations[{at}].name is `{one.name}` again, wanted each name once")
        found[one.name] = one
    problems += _wrong_former_names(found)
    if problems:
        raise ConfigInvalid(problems)
    return tuple(found.values())


def _wrong_former_names(found: Mapping[str, DestinationSettings]) -> Iterator[str]:
    """What was one destination's cannot go on under two names, nor under one that another has."""
    taken: dict[str, str] = {}
    for one in found.values():
        for former in one.formerly:
            where = f"destinations `{one.name}`: formerly names `{former}`"
            if former in found:
                yield f"{where}, which is configured, wanted a name that is in use no more"
            elif former in taken:
                yield f"{where}, as `{taken[former]}` does, wanted each former name once"
            taken[former] = one.name


def _given_destinations(settings: Settings) -> list[object]:
    given: list[object] = [*settings.destinations]
    given.extend({"name": kind, "type": kind} for kind in settings.destination)
    return given or [{"name": "optimizely", "type": "optimizely"}]


def _datafile(name: str, keys: object) -> DatafileSettings:
    where = f"datafiles.{name}"
    if not isinstance(keys, Mapping):
        raise ConfigInvalid([f"{where} is {config.kind_of(keys)}, wanted a mapping with `path`, `url` or `sdk_key`"])
    kinds = [key for key in _SOURCES if key in keys]
    if len(kinds) != 1:
        got = " and ".join(f"`{kind}`" for kind in kinds) or "none of them"
        raise ConfigInvalid([f"{where} has {got}, wanted one of `path`, `url` and `sdk_key`"])
    own = {key: value for key, value in keys.items() if key != "destinations"}
    named = keys.get("destinations")
    if named is not None and not (isinstance(named, list) and all(isinstance(one, str) for one in named)):
        raise ConfigInvalid([f"{where}.destinations is {config.shown(named)}, wanted a list of names"])
    source: Any = config.read(_SOURCES[kinds[0]], own, where, beside=["destinations"])
    return DatafileSettings(name=name, source=source, destinations=None if named is None else tuple(named))


def _destination(keys: object, where: str) -> DestinationSettings:
    if not isinstance(keys, Mapping):
        raise ConfigInvalid([f"{where} is {config.kind_of(keys)}, wanted a mapping with `name` and `type`"])
    name, kind = keys.get("name"), keys.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise ConfigInvalid(
            [f"{where}.type is {config.shown(kind)}, wanted one of {', '.join(f'`{one}`' for one in TYPES)}"]
        )
    if not isinstance(name, str) or not name:
        raise ConfigInvalid([f"{where}.name is {config.shown(name)}, wanted a name, not empty"])
    own = {key: value for key, value in keys.items() if key not in ("name", "type", "rules", "formerly")}
    problems: list[str] = []
    beside = ["rules", "formerly"]
    section: Any = _collected(problems, lambda: config.read(TYPES[kind].section, own, where, beside))
    rules = None
    if keys.get("rules") is not None:
        rules = _collected(problems, lambda: _rules(keys["rules"], f"{where}.rules"))
    formerly = keys.get("formerly") or []
    if not (isinstance(formerly, list) and all(isinstance(one, str) and one for one in formerly)):
        problems.append(f"{where}.formerly is {config.shown(formerly)}, wanted a list of names")
    if problems:
        raise ConfigInvalid(problems)
    return DestinationSettings(name=name, type=kind, section=section, rules=rules, formerly=tuple(formerly))


def _rules(keys: object, where: str) -> RulesSection:
    if not isinstance(keys, Mapping):
        raise ConfigInvalid([f"{where} is {config.kind_of(keys)}, wanted a mapping"])
    return config.read(RulesSection, keys, where)
