"""Calls for decisions, built complete, and the default that stands in for an answer. No clock, no socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypedDict

from sidecar_client import _replies
from sidecar_client._calls import Call
from sidecar_client._identity import Identity
from sidecar_client.decisions import DecideOption, Decision, Decisions, Reason
from sidecar_client.errors import SidecarError
from sidecar_client.pb import decision_pb2
from sidecar_client.settings import DECIDE_RETRY, Settings

DECIDE: Final = "/sidecar.v1.DecisionService/Decide"
ID_CHARACTERS: Final = 36
"""Of an id that the client makes, a UUID."""
_OPTIONS: Final = MappingProxyType(
    {option: getattr(decision_pb2, f"DECIDE_OPTION_{option}") for option in DecideOption}
)


_ID_HEAD: Final = decision_pb2.DecideRequest(decision_id="0" * ID_CHARACTERS).SerializeToString()[:-ID_CHARACTERS]


class AskOptions(TypedDict, total=False):
    """What every call for decisions takes besides users and flags; all optional.

    `options` are added to the sidecar's default options. `timeout_s` and `strict` stand above the client's own.
    """

    options: Sequence[DecideOption]
    timeout_s: float
    strict: bool


class DecideOptions(AskOptions, total=False):
    """What a call for the decisions of one user takes besides.

    `decision_id` names the decision, 1-100 characters, a UUID by default: the same id makes the same impressions, once.
    """

    decision_id: str


def option_numbers(options: Sequence[DecideOption]) -> list[decision_pb2.DecideOption]:
    """Options by the numbers of the contract. Raises ValueError for one that does not exist."""
    return [_OPTIONS[DecideOption(option)] for option in options]


def _request(user: Identity, new_id: str, flag_keys: Sequence[str], details: DecideOptions) -> bytes:
    """A DecideRequest of these flags, in this order; none = all flags, in the order of the datafile.

    Its parts are joined as bytes: the user's, made once a handle; what is asked, kept while it is asked again; the id.
    """
    if not details:
        # Why only few: what is kept is bounded in number, and so in bytes.
        asked_of = _asked if len(flag_keys) <= _KEYS_KEPT_MAX else _asked.__wrapped__
        return b"".join((user.prefix, asked_of(tuple(flag_keys)), _ID_HEAD, new_id.encode()))
    decision_id = details.get("decision_id")
    own = decision_pb2.DecideRequest(decision_id=decision_id).SerializeToString() if decision_id else None
    asked = _asked.__wrapped__(tuple(flag_keys), tuple(details.get("options", ())))
    return user.prefix + asked + (_ID_HEAD + new_id.encode() if own is None else own)


_KEYS_KEPT_MAX: Final = 32
"""Flags named by one call, up to which what it asks is kept."""


@lru_cache(maxsize=1024)
def _asked(flag_keys: tuple[str, ...], options: tuple[DecideOption, ...] = ()) -> bytes:
    return decision_pb2.DecideRequest(flag_keys=flag_keys, options=option_numbers(options)).SerializeToString()


def decide_one(
    user: Identity,
    settings: Settings,
    new_id: str,
    flag_key: str,
    *,
    default: Decision | None,
    details: DecideOptions,
) -> Call[Decision]:
    """A Decide of one flag. Raises ValueError for a `default` of another flag, which is surely a mistake."""
    if default is not None and default.flag_key != flag_key:
        raise ValueError(f"default is a decision of flag `{default.flag_key}`, wanted flag `{flag_key}`")
    strict, timeout_s = settings.strict, settings.decide_timeout_s
    if details:
        strict, timeout_s = details.get("strict", strict), details.get("timeout_s", timeout_s)
    return Call(
        DECIDE,
        _request(user, new_id, (flag_key,), details),
        timeout_s,
        DECIDE_RETRY,
        lambda reply: _replies.decision(reply, flag_key),
        "",
        None if strict else lambda error: _unanswered(flag_key, default, error),
    )


def decide_several(
    user: Identity,
    settings: Settings,
    new_id: str,
    flag_keys: Sequence[str],
    *,
    defaults: Mapping[str, Decision] | None,
    details: DecideOptions,
) -> Call[Decisions]:
    """A Decide of several flags, none = all.

    Without an answer each flag asked for has its default; of all flags, those in `defaults` alone.
    """
    strict = details.get("strict", settings.strict)
    return Call(
        method=DECIDE,
        request=_request(user, new_id, flag_keys, details),
        timeout_s=details.get("timeout_s", settings.decide_timeout_s),
        retry=DECIDE_RETRY,
        decode=_replies.decisions,
        fallback=None if strict else defaults_for(flag_keys, defaults),
    )


def defaults_for(
    flag_keys: Sequence[str], defaults: Mapping[str, Decision] | None
) -> Callable[[SidecarError], Decisions]:
    """What the caller gets instead of an error: of each flag asked for its default, of all flags the `defaults`."""
    given = defaults or {}

    def unanswered(error: SidecarError) -> Decisions:
        keys = flag_keys or given
        listed = [_unanswered(key, given.get(key), error) for key in keys]
        return Decisions(listed, error_reason=error.reason)

    return unanswered


def _unanswered(flag_key: str, default: Decision | None, error: SidecarError) -> Decision:
    """What the caller gets instead of an error: its default, else a flag that is off, and why."""
    given = Decision(flag_key=flag_key) if default is None else default
    return replace(given, reason=Reason.SIDECAR_UNAVAILABLE, reasons=(str(error),), error_reason=error.reason)
