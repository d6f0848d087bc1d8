"""The call for the decisions of many users at once, and what became of each. No socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sidecar_client import _replies
from sidecar_client._calls import Call, Counters
from sidecar_client._decide import AskOptions, defaults_for, option_numbers
from sidecar_client._faults import fault_of_status
from sidecar_client._identity import Identity
from sidecar_client._stamps import new_id
from sidecar_client.decisions import Decision, Decisions
from sidecar_client.errors import SidecarError, error_for
from sidecar_client.pb import decision_pb2
from sidecar_client.settings import EVENT_RETRY, Settings

DECIDE_MANY: Final = "/sidecar.v1.DecisionService/DecideMany"
USERS_MAX: Final = 1_000
"""Users of one call; the sidecar's own bound."""


def asked(users: Sequence[Identity], decision_ids: Sequence[str]) -> list[tuple[Identity, str]]:
    """Each user with the id of its decision, made here when none are given."""
    if decision_ids and len(decision_ids) != len(users):
        raise ValueError(f"decision_ids are {len(decision_ids)} for {len(users)} users, wanted one each or none")
    return list(zip(users, decision_ids or [new_id() for _ in users], strict=True))


def decide_many(
    users: Sequence[tuple[Identity, str]],
    settings: Settings,
    counters: Counters,
    flag_keys: Sequence[str],
    *,
    defaults: Mapping[str, Decision] | None,
    details: AskOptions,
) -> Call[list[Decisions]]:
    """A DecideMany of users with their decision ids; no flag keys = all flags.

    Raises ValueError for more than 1,000 users, and for users of different datafiles: one call has one revision.
    """
    if len(users) > USERS_MAX:
        raise ValueError(f"users are {len(users)}, wanted at most {USERS_MAX}")
    datafiles = {user.datafile for user, _ in users}
    if len(datafiles) > 1:
        raise ValueError(f"users are of the datafiles {sorted(datafiles)}, wanted one")
    request = decision_pb2.DecideManyRequest(
        users=[_user(user, decision_id) for user, decision_id in users],
        flag_keys=flag_keys,
        options=option_numbers(details.get("options", ())),
        datafile=next(iter(datafiles), ""),
    )
    strict = details.get("strict", settings.strict)
    default = defaults_for(flag_keys, defaults)

    def unanswered(error: SidecarError) -> list[Decisions]:
        return [default(error) for _ in users]

    return Call(
        method=DECIDE_MANY,
        request=request.SerializeToString(),
        timeout_s=details.get("timeout_s", settings.status_timeout_s),
        retry=EVENT_RETRY,
        decode=_reader(None if strict else default, counters),
        fallback=None if strict else unanswered,
    )


def _user(user: Identity, decision_id: str) -> decision_pb2.DecideManyUser:
    return decision_pb2.DecideManyUser(
        user_id=user.request.user_id,
        attributes=user.request.attributes,
        forced_decisions=user.request.forced_decisions,
        qualified_segments=user.request.qualified_segments if user.segments is not None else None,
        decision_id=decision_id,
    )


def _reader(
    default: Callable[[SidecarError], Decisions] | None, counters: Counters
) -> Callable[[bytes], list[Decisions]]:
    """Reads the results; of a user that was refused, the default, counted, or without one the error, raised."""

    def one(result: decision_pb2.DecideManyResult) -> Decisions:
        if result.WhichOneof("result") != "error":
            return _replies.decisions_of(result.decided)
        error = error_for(fault_of_status(result.error), method=DECIDE_MANY)
        if default is None:
            raise error
        counters.add(defaulted=1)
        return default(error)

    def decode(reply: bytes) -> list[Decisions]:
        return [one(each) for each in decision_pb2.DecideManyResponse.FromString(reply).results]

    return decode
