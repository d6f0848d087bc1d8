"""Puts the method table together: every method of the contract, health and reflection.

A method that no handler serves yet answers UNIMPLEMENTED, which says so, instead of looking unknown.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Final, Self

from google.protobuf.descriptor import MethodDescriptor

from sidecar.pb import (
    admin_pb2,
    classic_pb2,
    datafile_pb2,
    decision_pb2,
    notification_pb2,
    profile_pb2,
    tracking_pb2,
)
from sidecar.rpc import health
from sidecar.rpc.methods import Bidirectional, Call, Method, MethodTable, ServerStream, Unary
from sidecar.rpc.reflection import Reflection
from sidecar.rpc.refusals import unimplemented

_FILES: Final = (
    decision_pb2,
    classic_pb2,
    tracking_pb2,
    datafile_pb2,
    notification_pb2,
    profile_pb2,
    admin_pb2,
)


def method_table(served: Iterable[Mapping[str, Method]], switched_off: Container[str] = ()) -> MethodTable:
    """The whole table: `served` over the contract's methods, and reflection of all of them.

    Services that are `switched_off`, by full name, are not in it at all, so that gRPC itself says UNIMPLEMENTED.
    """
    table: dict[str, Method] = {}
    for file in _FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            if service.full_name in switched_off:
                continue
            for method in service.methods:
                table[f"/{service.full_name}/{method.name}"] = _unserved(method)
    for part in served:
        table.update(part)
    table.update(Reflection(health.service_names(table)).methods())
    return table


def _unserved(method: MethodDescriptor) -> Method:
    name = f"/{method.containing_service.full_name}/{method.name}"

    def unary(request: bytes, call: Call) -> bytes:
        raise unimplemented(name)

    if method.client_streaming:
        return Bidirectional(lambda requests, call: _Refused(name))
    if method.server_streaming:
        return ServerStream(lambda request, call: _Refused(name))
    return Unary(unary)


class _Refused:
    """A stream of replies that fails before the first."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        raise unimplemented(self._name)
