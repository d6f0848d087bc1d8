"""What a failed call says: its status, reason and violations, read from the trailers as a client does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Said:
    """A refusal as its caller sees it; `violations` are (field, description), in order."""

    code: str
    reason: str
    domain: str
    message: str
    metadata: dict[str, str] = field(default_factory=dict)
    violations: tuple[tuple[str, str], ...] = ()
    retry_s: float | None = None

    @property
    def fields(self) -> list[str]:
        return [name for name, _ in self.violations]


def said(error: grpc.RpcError | grpc.aio.AioRpcError | status_pb2.Status) -> Said:
    """Read a refusal; it must carry exactly one ErrorInfo, and the same code and message in both places."""
    if isinstance(error, status_pb2.Status):
        return _read(error, "")
    call: Any = error
    details = dict(call.trailing_metadata() or ()).get(DETAILS_KEY)
    assert details is not None, f"no details with {call.code()}: {call.details()}"
    status = status_pb2.Status.FromString(details)
    assert (status.code, status.message) == (call.code().value[0], call.details())
    return _read(status, call.code().name)


def _read(status: status_pb2.Status, code: str) -> Said:
    infos, violations, retry_s = [], [], None
    for box in status.details:
        if box.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            infos.append(error_details_pb2.ErrorInfo.FromString(box.value))
        elif box.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest.FromString(box.value)
            violations += [(one.field, one.description) for one in bad.field_violations]
        elif box.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry_s = error_details_pb2.RetryInfo.FromString(box.value).retry_delay.ToTimedelta().total_seconds()
        else:
            raise AssertionError(f"a detail of the unexpected type {box.type_url}")
    (info,) = infos
    codes = {each.value[0]: each.name for each in grpc.StatusCode}
    return Said(
        code=code or codes[status.code],
        reason=info.reason,
        domain=info.domain,
        message=status.message,
        metadata=dict(info.metadata),
        violations=tuple(violations),
        retry_s=retry_s,
    )
