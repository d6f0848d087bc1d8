"""Speaks to a running sidecar, for the command line. The client for applications is `clients/python`.

Blocking, one call a channel: a command asks one thing and ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

from sidecar.errors import ConfigInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which sidecar, and how to get in. With `tls_ca` TLS is spoken."""

    address: str
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    token_file: str | None = None


def health(target: Target, name: str, timeout_s: float) -> str:
    """The serving status of a name, or what kept the answer away, in a word or a sentence. Never raises for that."""
    with _channel(target) as channel:
        check: grpc.UnaryUnaryMultiCallable[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse] = (
            channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(service=name), timeout=timeout_s, metadata=_metadata(target))
        except grpc.RpcError as failed:
            return f"no answer from {target.address}: {failed.code().name}: {failed.details()}"
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def _channel(target: Target) -> grpc.Channel:
    if target.tls_ca is None:
        return grpc.insecure_channel(target.address)
    try:
        credentials = grpc.ssl_channel_credentials(
            Path(target.tls_ca).read_bytes(),
            Path(target.tls_key).read_bytes() if target.tls_key else None,
            Path(target.tls_cert).read_bytes() if target.tls_cert else None,
        )
    except OSError as unreadable:
        raise ConfigInvalid([f"certificate cannot be read: {unreadable}"]) from unreadable
    return grpc.secure_channel(target.address, credentials)


def _metadata(target: Target) -> tuple[tuple[str, str], ...]:
    if target.token_file is None:
        return ()
    return (("authorization", f"Bearer {Path(target.token_file).read_text().strip()}"),)
