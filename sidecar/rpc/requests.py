"""From bytes to a valid request: parse, check what every request has in common, collect every violation.

Bytes that are no message are `RequestMalformed`; a message that breaks rules is `RequestInvalid` with all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from sidecar import limits
from sidecar.errors import RequestInvalid, RequestMalformed, Violation
from sidecar.rpc import wire

MessageT = TypeVar("MessageT", bound=Message)


class Violations:
    """Collects what is wrong with one request."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def add(self, field: str, description: str) -> None:
        """Note one; `field` is its path in the request, `description` says got and wanted."""
        self._found.append(Violation(field, description))

    def extend(self, found: Sequence[Violation]) -> None:
        """Note several."""
        self._found.extend(found)

    def extend_within(self, path: str, wrong: Violations) -> None:
        """Note those of a part, whose place is `path`."""
        self._found += [Violation(f"{path}.{one.field}", one.description) for one in wrong._found]

    @property
    def found(self) -> Sequence[Violation]:
        """Those that were noted, in order."""
        return self._found

    def raise_if_any(self) -> None:
        """Raises `RequestInvalid` with all of them."""
        if self._found:
            raise RequestInvalid(self._found)


def parse(kind: type[MessageT], request: bytes, violations: Violations) -> MessageT:
    """Parse a request; a field that nests too deep to be parsed is noted as a violation and left out.

    Raises `RequestMalformed` when the bytes are no message of that type, bad UTF-8 included, and `RequestInvalid` when
    they are more than `limits.MESSAGE_BYTES_MAX`.
    """
    if len(request) > limits.MESSAGE_BYTES_MAX:
        raise_if_too_large(request)
    try:
        return kind.FromString(request)
    except DecodeError as broken:
        if not is_too_deep(broken):
            raise malformed(kind, broken) from broken
    return _without_deep_fields(kind, request, violations)


def is_too_deep(broken: DecodeError) -> bool:
    """Whether a message could not be parsed because of the depth of what it holds alone."""
    # Why by text: the library has one error for everything, and depth is the caller's data, not its framing.
    return "MaxDepth" in str(broken)


def raise_if_too_large(request: bytes, bytes_max: int = limits.MESSAGE_BYTES_MAX) -> None:
    """Raises `RequestInvalid` for a request of more than so many bytes."""
    if len(request) > bytes_max:
        wanted = f"is {len(request)} bytes, wanted at most {bytes_max}"
        raise RequestInvalid([Violation("request", wanted)])


def split(kind: type[Message], request: bytes, field_number: int) -> tuple[Sequence[bytes], bytes]:
    """Every message that a field of a request holds, unparsed, and the request without them.

    So that one that is malformed need not fail the others. Raises `RequestMalformed`.
    """
    try:
        return wire.split(request, field_number)
    except ValueError as broken:
        raise malformed(kind, broken) from broken


def count(kind: type[Message], request: bytes, field_number: int, most: int) -> int:
    """How many messages a field of a request holds, counted up to `most`. Raises `RequestMalformed`."""
    try:
        return wire.count(request, field_number, most)
    except ValueError as broken:
        raise malformed(kind, broken) from broken


def check_user_id(user_id: str, violations: Violations) -> None:
    """Rule R11: a decision needs a user. Bound: as any value."""
    if not user_id:
        violations.add("user_id", "is empty, wanted the id of the user")
    else:
        check_text(user_id, "user_id", violations)


def check_text(text: str, field: str, violations: Violations, bytes_max: int = limits.VALUE_BYTES_MAX) -> None:
    """A string field's bound, in bytes of UTF-8."""
    if len(text) * 4 > bytes_max and len(text.encode()) > bytes_max:
        violations.add(field, f"is {len(text.encode())} bytes, wanted at most {bytes_max}")


def check_id(text: str, field: str, violations: Violations) -> None:
    """The bound of an `event_id` or `decision_id`, in characters."""
    if len(text) > limits.EVENT_ID_CHARACTERS_MAX:
        violations.add(field, f"is {len(text)} characters, wanted 1 to {limits.EVENT_ID_CHARACTERS_MAX}")


def check_flag_keys(flag_keys: Sequence[str], violations: Violations) -> None:
    """The bound of the flags that one request names."""
    if len(flag_keys) > limits.FLAG_KEYS_MAX:
        violations.add("flag_keys", f"has {len(flag_keys)} keys, wanted at most {limits.FLAG_KEYS_MAX}")


def malformed(kind: type[Message], cause: Exception) -> RequestMalformed:
    """The error for bytes that are no message of a type."""
    detail = str(cause).rpartition(": ")[2].lower() or "unreadable"
    return RequestMalformed(f"request is no {kind.DESCRIPTOR.full_name}: {detail}")


def _without_deep_fields(kind: type[MessageT], request: bytes, violations: Violations) -> MessageT:
    message = kind()
    try:
        for number, piece in wire.top_level_fields(request):
            try:
                message.MergeFromString(piece)
            except DecodeError as broken:
                if not is_too_deep(broken):
                    raise
                name = kind.DESCRIPTOR.fields_by_number[number].name
                violations.add(name, f"nests deeper than {limits.DEPTH_MAX} levels of lists and maps")
    except (ValueError, DecodeError) as broken:
        raise malformed(kind, broken) from broken
    return message
