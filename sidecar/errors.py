"""The errors of the daemon, divided by whose fault they are.

Raised low, by the code that knows; mapped to the wire once, in `rpc/refusals.py`. The message says what, where, got and
wanted, then what we did; user input stands in backticks. Nothing catches `SidecarError` and goes on in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SidecarError(Exception):
    """Any error that the daemon raises on purpose. `retryable` says whether the same call can succeed later."""

    retryable = False


# --- the caller's fault -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with one field of a request; `field` is its path, as `events[3].user_id`."""

    field: str
    description: str


class CallerError(SidecarError):
    """The request cannot be answered as it stands; the same bytes will fail again."""


class RequestMalformed(CallerError):
    """The bytes are no message of the method's request type."""


class RequestInvalid(CallerError):
    """The message breaks rules of the contract; every violation is listed, at least one."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        first = self.violations[0]
        more = f" (and {len(self.violations) - 1} more)" if len(self.violations) > 1 else ""
        super().__init__(f"request invalid: {first.field}: {first.description}{more}")


class DatafileNotFound(CallerError):
    """The request names a datafile, or an SDK key, that is not configured."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no datafile has the name or SDK key `{name}`")


class EventKeyNotFound(CallerError):
    """A Track whose event key is not in the datafile, and no other destination takes it."""

    def __init__(self, event_key: str, revision: str) -> None:
        self.event_key = event_key
        super().__init__(
            f"event key `{event_key}` is not in the datafile (revision `{revision}`) and no destination takes it"
        )


# --- the state's fault --------------------------------------------------------------------------------------------


class StateError(SidecarError):
    """Nothing is wrong with the request, but the daemon cannot serve it now."""


class NoDatafile(StateError):
    """No datafile has been applied yet under this name, or none is configured."""

    retryable = True

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"datafile `{name}` is not loaded yet" if name else "no datafile is loaded")


class Stopping(StateError):
    """The daemon takes no new calls: it is on its way down."""

    retryable = True

    def __init__(self) -> None:
        super().__init__("the sidecar is stopping and takes no new calls")


class DatafileRejected(StateError):
    """A datafile cannot be used at all; the last good one stays.

    `path` is a JSON path into it, empty when it is no JSON.
    """

    def __init__(self, path: str, got: str, wanted: str) -> None:
        self.path, self.got, self.wanted = path, got, wanted
        where = f"{path} is" if path else "it is"
        super().__init__(f"datafile rejected: {where} {got}, wanted {wanted}")


class SourceUnavailable(StateError):
    """A datafile's source cannot be read; the last good datafile stays. The message names place and cause."""

    retryable = True


class DataDirectoryLocked(StateError):
    """Another process holds the data directory; `holder` names it (pid and start, as it wrote them)."""

    def __init__(self, path: str, holder: str) -> None:
        self.path, self.holder = path, holder
        super().__init__(f"data directory `{path}` is in use by {holder}; wanted it unlocked, nothing was opened")


class OutboxSchemaNewer(StateError):
    """The outbox file was written by a newer release; this one would misread it."""

    def __init__(self, path: str, got: int, wanted: int) -> None:
        self.path, self.got, self.wanted = path, got, wanted
        super().__init__(
            f"outbox `{path}` has schema version {got}, wanted at most {wanted}: it was written by a newer release;"
            " nothing was changed"
        )


class OutboxUnopened(StateError):
    """The outbox file can be neither opened nor made; `path` is its directory. The message names the cause."""

    retryable = True

    def __init__(self, path: str, cause: str) -> None:
        self.path, self.cause = path, cause
        super().__init__(f"outbox in `{path}` cannot be opened: {cause}; wanted to read and write it, did not start")


class ProfilesUnopened(StateError):
    """The file of sticky profiles can be neither opened nor made; `path` is that file. The message names the cause."""

    retryable = True

    def __init__(self, path: str, cause: str) -> None:
        self.path, self.cause = path, cause
        super().__init__(f"profiles `{path}` cannot be opened: {cause}; wanted to read and write it, did not start")


class ProfilesUnavailable(StateError):
    """The store of sticky profiles did not answer, or not in time. The message names store and cause."""

    retryable = True

    def __init__(self, store: str, cause: str) -> None:
        self.store, self.cause = store, cause
        super().__init__(f"profile store `{store}` gave no answer: {cause}")


# --- a bound's fault ----------------------------------------------------------------------------------------------


class BoundError(SidecarError):
    """A bound is reached; waiting `retry_after_s` seconds may help."""

    retryable = True
    retry_after_s: float


class OutboxFull(BoundError):
    """No destination that wants the event has room for it."""

    def __init__(self, *, limit_bytes: int, retry_after_s: float) -> None:
        self.limit_bytes, self.retry_after_s = limit_bytes, retry_after_s
        super().__init__(f"outbox full: every destination that takes this event holds its {limit_bytes} bytes")


class OutboxUnwritable(BoundError):
    """The disk refuses to write (full, or an I/O error); decisions go on, events are refused until it recovers."""

    def __init__(self, cause: str, *, retry_after_s: float) -> None:
        self.cause, self.retry_after_s = cause, retry_after_s
        super().__init__(f"outbox cannot be written: {cause}; the event was not accepted")


class SubscribersFull(BoundError):
    """As many readers listen to notifications as the daemon serves at a time."""

    def __init__(self, *, readers_max: int, retry_after_s: float) -> None:
        self.readers_max, self.retry_after_s = readers_max, retry_after_s
        super().__init__(f"{readers_max} readers listen to notifications, which is the most; the call was not begun")


# --- the operator's fault -----------------------------------------------------------------------------------------


class ConfigInvalid(SidecarError):
    """The configuration breaks its schema; `problems` has one line each, with the place of the mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("configuration invalid: " + "; ".join(self.problems))
