"""Asks a running sidecar whether it serves."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2

from sidecar.client.channel import Target, connect, metadata


def health(target: Target, name: str, timeout_s: float) -> str:
    """The serving status of a name, or what kept the answer away, in a word or a sentence. Never raises for that."""
    with connect(target) as channel:
        check: grpc.UnaryUnaryMultiCallable[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse] = (
            channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(service=name), timeout=timeout_s, metadata=metadata(target))
        except grpc.RpcError as failed:
            return f"no answer from {target.address}: {failed.code().name}: {failed.details()}"
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
