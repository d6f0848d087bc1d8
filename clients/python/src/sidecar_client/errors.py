"""The errors of this client, divided by whose fault they are. None of them is grpcio's.

A failed call is a `SidecarError` with the sidecar's reason, every violation, and whether the same call can
succeed later. Wrong types in a caller's own code are TypeError and ValueError, with the path of the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sidecar_client.events import Imported


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with one field of a request; `field` is its path, as `event_tags[revenue]`."""

    field: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a failed call said, whatever carried it.

    `code` is gRPC's word, as `INVALID_ARGUMENT`. `reason` is the sidecar's word, as `OUTBOX_FULL`; `code`
    again where no sidecar spoke. `retry_after_s` is None when the sidecar named no time.
    """

    code: str
    message: str
    reason: str
    violations: tuple[Violation, ...] = ()
    retry_after_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class SidecarError(Exception):
    """A call that was not answered. `retryable` says whether the same call can succeed later.

    A retry of `track` and its sisters passes the `event_id` of this error, so that the event is never
    recorded twice.
    """

    retryable = False
    imported: Imported | None = None
    """Of an import that broke off: what became of the events before. The rest starts at `accepted` plus the refused."""

    def __init__(self, fault: Fault, *, method: str = "", event_id: str = "") -> None:
        self.fault = fault
        self.method = method
        self.event_id = event_id
        where = f"{method} failed: " if method else ""
        # The sidecar's message has the first violation in it already.
        rest = (f"{each.field}: {each.description}" for each in fault.violations)
        listed = "".join(f"; {each}" for each in rest if each not in fault.message)
        super().__init__(f"{where}{fault.reason}: {fault.message}{listed}")

    @property
    def reason(self) -> str:
        """The sidecar's word for it, as `OUTBOX_FULL` or `MALFORMED`; for programs."""
        return self.fault.reason

    @property
    def code(self) -> str:
        """The word of gRPC for it, as `RESOURCE_EXHAUSTED`."""
        return self.fault.code

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Everything wrong with the request; empty for other errors."""
        return self.fault.violations

    @property
    def retry_after_s(self) -> float | None:
        """How long to wait before a retry, in seconds; None when the sidecar did not say."""
        return self.fault.retry_after_s


# --- the caller's fault --------------------------------------------------------------------------------


class RequestRefused(SidecarError):
    """The request breaks the contract, or names what is not there; the same call will fail again."""


class AccessDenied(SidecarError):
    """The token or the client certificate is missing, wrong, or not enough for this method."""


# --- the state's fault ---------------------------------------------------------------------------------


class NotReady(SidecarError):
    """The sidecar has no datafile yet; it answers as soon as it has one."""

    retryable = True


class Unavailable(SidecarError):
    """No sidecar answered: none listens there, it is stopping, or the connection broke."""

    retryable = True


class DeadlinePassed(SidecarError):
    """No answer within the deadline. An event may have been accepted: retry it with its `event_id`."""

    retryable = True


# --- a bound's fault -----------------------------------------------------------------------------------


class Refused(SidecarError):
    """A bound is reached (`OUTBOX_FULL`, `OUTBOX_UNWRITABLE`); waiting `retry_after_s` may help."""

    retryable = True


# --- ours ----------------------------------------------------------------------------------------------


class SidecarFault(SidecarError):
    """A fault of the sidecar or of this client; the message is for a bug report."""


class ClientClosed(SidecarError):
    """The client was closed before the call, or during it."""

    def __init__(self, *, method: str = "", event_id: str = "") -> None:
        message = "the client is closed, so the call has no answer"
        fault = Fault(code="CANCELLED", reason="CLIENT_CLOSED", message=message)
        super().__init__(fault, method=method, event_id=event_id)


# --- reading a decision --------------------------------------------------------------------------------


class VariableError(Exception):
    """A variable of a decision cannot be read as asked."""

    flag_key: str
    variable_key: str
    wanted: str


class VariableMissing(VariableError, LookupError):
    """The flag has no such variable, or it is null, and the caller gave no default."""

    def __init__(self, *, flag_key: str, variable_key: str, wanted: str) -> None:
        self.flag_key, self.variable_key, self.wanted = flag_key, variable_key, wanted
        super().__init__(f"flag `{flag_key}` has no value for variable `{variable_key}`, wanted {wanted} or a default")


class VariableTypeMismatch(VariableError, TypeError):
    """The variable is there, but of another type than the caller reads it as."""

    def __init__(self, *, flag_key: str, variable_key: str, got: object, wanted: str) -> None:
        self.flag_key, self.variable_key, self.got, self.wanted = flag_key, variable_key, got, wanted
        super().__init__(
            f"variable `{variable_key}` of flag `{flag_key}` is {type(got).__name__} `{got}`, wanted {wanted}"
        )


_CLASSES: Mapping[str, type[SidecarError]] = MappingProxyType(
    {
        "INVALID_ARGUMENT": RequestRefused,
        "NOT_FOUND": RequestRefused,
        "OUT_OF_RANGE": RequestRefused,
        "UNAUTHENTICATED": AccessDenied,
        "PERMISSION_DENIED": AccessDenied,
        "FAILED_PRECONDITION": NotReady,
        "UNAVAILABLE": Unavailable,
        "DEADLINE_EXCEEDED": DeadlinePassed,
        "RESOURCE_EXHAUSTED": Refused,
    }
)


def error_for(fault: Fault, *, method: str, event_id: str = "") -> SidecarError:
    """The error class of a fault, by its code: the closed table of the contract; anything else is ours."""
    return _CLASSES.get(fault.code, SidecarFault)(fault, method=method, event_id=event_id)
