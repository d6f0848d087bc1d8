"""The one place where an error becomes a status: a closed table, by type.

Every refusal carries a `google.rpc.Status` with one `ErrorInfo` (reason, domain `sidecar`), `BadRequest` with every
violation, and `RetryInfo` where waiting helps. The table is public: docs/errors.md.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Final

import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from sidecar import errors, limits
from sidecar.rpc.methods import Call, Code, Refusal

DOMAIN: Final = "sidecar"

_ENCODED_BYTES_MAX: Final = 12
"""What one character takes at most in `grpc-message`: four bytes, percent-encoded."""

_TABLE: Final[Mapping[type[Exception], tuple[Code, str]]] = {
    errors.RequestMalformed: (Code.INVALID_ARGUMENT, "MALFORMED"),
    errors.RequestInvalid: (Code.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
    errors.DatafileNotFound: (Code.NOT_FOUND, "DATAFILE_NOT_FOUND"),
    errors.EventKeyNotFound: (Code.NOT_FOUND, "EVENT_KEY_NOT_FOUND"),
    errors.NoDatafile: (Code.FAILED_PRECONDITION, "NO_DATAFILE"),
    errors.DatafileRejected: (Code.FAILED_PRECONDITION, "DATAFILE_REJECTED"),
    errors.SourceUnavailable: (Code.FAILED_PRECONDITION, "SOURCE_UNAVAILABLE"),
    errors.OutboxFull: (Code.RESOURCE_EXHAUSTED, "OUTBOX_FULL"),
    errors.OutboxUnwritable: (Code.RESOURCE_EXHAUSTED, "OUTBOX_UNWRITABLE"),
    errors.SubscribersFull: (Code.RESOURCE_EXHAUSTED, "SUBSCRIBERS_FULL"),
    errors.ProfilesUnavailable: (Code.INTERNAL, "PROFILES_UNAVAILABLE"),
    errors.Stopping: (Code.UNAVAILABLE, "STOPPING"),
}


def refusal_of(error: Exception, method: str) -> Refusal:
    """What to answer for an error that a handler raised. An error of no known type is a bug of ours: INTERNAL, logged.

    `method` is the full method name, for the log.
    """
    if isinstance(error, Refusal):
        return error
    known = _TABLE.get(type(error))
    if known is None:
        structlog.get_logger().error(
            "handler_failed",
            method=method,
            error=repr(error),
            trace="".join(traceback.format_exception(error)),
        )
        return refusal(Code.INTERNAL, "INTERNAL", f"{method} failed inside the sidecar; the log has the trace")
    code, reason = known
    return refusal(code, reason, str(error), *_more(error), metadata=_metadata(error))


def refusal(
    code: Code, reason: str, message: str, *more: Message, metadata: Mapping[str, str] | None = None
) -> Refusal:
    """Build a refusal; `more` are further details, packed behind the `ErrorInfo`."""
    message = _shown(message)
    about = {key: _shown(value) for key, value in (metadata or {}).items()}
    details = (error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=about), *more)
    packed = []
    for detail in details:
        box = AnyMessage()
        box.Pack(detail)
        packed.append(box)
    status = status_pb2.Status(code=int(code), message=message, details=packed)
    return Refusal(code, message, status.SerializeToString())


def raise_if_late(call: Call) -> None:
    """A call that nobody waits for any more makes no decision and so no impression."""
    remaining = call.time_remaining_s()
    if remaining is not None and remaining <= 0:
        raise refusal(Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the deadline passed before the decision")
    if call.cancelled():
        raise refusal(Code.CANCELLED, "CANCELLED", "the call was cancelled before the decision")


def unimplemented(method: str) -> Refusal:
    """For a method of the contract that this release does not serve."""
    return refusal(Code.UNIMPLEMENTED, "UNIMPLEMENTED", f"{method} is not served by this release of the sidecar")


def _more(error: Exception) -> tuple[Message, ...]:
    if isinstance(error, errors.RequestInvalid):
        return (_bad_request(error),)
    if isinstance(error, errors.BoundError):
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromMilliseconds(int(error.retry_after_s * 1000))
        return (info,)
    return ()


def _bad_request(error: errors.RequestInvalid) -> error_details_pb2.BadRequest:
    """As many violations as the bounds allow, the first at least; the last one listed counts the others."""
    listed: list[error_details_pb2.BadRequest.FieldViolation] = []
    room = limits.REFUSAL_BYTES_MAX
    for violation in error.violations[: limits.VIOLATIONS_MAX]:
        one = error_details_pb2.BadRequest.FieldViolation(
            field=_shown(violation.field), description=_shown(violation.description)
        )
        room -= one.ByteSize()
        if room < 0 and listed:
            break
        listed.append(one)
    unlisted = len(error.violations) - len(listed)
    if unlisted:
        listed[-1].description += f" (and {unlisted} more violations)"
    return error_details_pb2.BadRequest(field_violations=listed)


def _shown(text: str) -> str:
    """A text of an error, which may hold input of any length, as short as metadata has to be."""
    room = limits.REFUSAL_TEXT_BYTES_MAX
    if len(text) * _ENCODED_BYTES_MAX <= room:
        return text
    for at, character in enumerate(text):
        plain = " " <= character <= "~" and character != "%"
        room -= 1 if plain else 3 * len(character.encode(errors="replace"))
        if room < 0:
            return text[:at] + "…"
    return text


def _metadata(error: Exception) -> Mapping[str, str]:
    if isinstance(error, errors.DatafileNotFound | errors.NoDatafile):
        return {"datafile": error.name}
    if isinstance(error, errors.EventKeyNotFound):
        return {"event_key": error.event_key}
    if isinstance(error, errors.OutboxFull):
        return {"limit_bytes": str(error.limit_bytes)}
    if isinstance(error, errors.SubscribersFull):
        return {"readers_max": str(error.readers_max)}
    return {}
