"""What a failed call said: the google.rpc.Status in `grpc-status-details-bin`, as a `Fault`."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from sidecar_client.errors import Fault, Violation


def fault_of(code: str, message: str, details: bytes) -> Fault:
    """A fault from gRPC's code and message and the encoded Status; without one, of what gRPC said alone."""
    try:
        status = status_pb2.Status.FromString(details)
    except DecodeError:
        status = status_pb2.Status()
    return fault_of_status(status, code=code, message=message)


def fault_of_status(status: status_pb2.Status, *, code: str = "", message: str = "") -> Fault:
    """A fault from a Status; `code` and `message` stand in for a Status without details."""
    code = code or code_pb2.Code.Name(status.code)
    info, refused, pause = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), None
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            detail.Unpack(refused)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            pause = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return Fault(
        code=code,
        message=message or status.message,
        reason=info.reason or code,
        violations=tuple(Violation(each.field, each.description) for each in refused.field_violations),
        retry_after_s=pause,
        metadata=dict(info.metadata),
    )
