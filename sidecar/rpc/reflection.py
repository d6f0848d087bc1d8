"""Server reflection, so that grpcurl and its like need no files. Served under v1 and v1alpha, which share their bytes.

Answers from protobuf's default descriptor pool, which holds every message that the daemon was built with.
Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha import reflection_pb2

from sidecar.rpc.methods import Bidirectional, Call, Code, Method
from sidecar.rpc.requests import Violations, parse

SERVICES: Final = ("/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/")


class Reflection:
    """Handlers over the names of the services that are mounted."""

    def __init__(self, service_names: Iterable[str]) -> None:
        own = {service.strip("/") for service in SERVICES}
        self._service_names = sorted({*service_names, *own})
        self._pool = descriptor_pool.Default()

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        return {service + "ServerReflectionInfo": Bidirectional(self.info) for service in SERVICES}

    async def info(self, requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        """`ServerReflectionInfo`: one answer a question; an unknown symbol is an answer too, not a status."""
        async for request in requests:
            asked = parse(reflection_pb2.ServerReflectionRequest, request, Violations())
            answer = self._answer(asked)
            answer.valid_host = asked.host
            answer.original_request.CopyFrom(asked)
            yield answer.SerializeToString()

    def _answer(self, asked: reflection_pb2.ServerReflectionRequest) -> reflection_pb2.ServerReflectionResponse:
        kind = asked.WhichOneof("message_request")
        try:
            if kind == "list_services":
                return self._services()
            if kind == "file_by_filename":
                return _files(self._pool.FindFileByName(asked.file_by_filename))
            if kind == "file_containing_symbol":
                return _files(self._containing(asked.file_containing_symbol))
        except KeyError:
            return _error(Code.NOT_FOUND, f"nothing is known under the name asked for by {kind}")
        # The contract has no extensions: proto3 has none but of options.
        return _error(Code.UNIMPLEMENTED, f"{kind or 'an empty question'} is not answered here")

    def _containing(self, symbol: str) -> FileDescriptor:
        """The file that declares a symbol, a method too: the pool knows methods by their services alone."""
        service, _, method = symbol.rpartition(".")
        try:
            return self._pool.FindServiceByName(service).methods_by_name[method].containing_service.file
        except KeyError:
            return self._pool.FindFileContainingSymbol(symbol)

    def _services(self) -> reflection_pb2.ServerReflectionResponse:
        named = [reflection_pb2.ServiceResponse(name=name) for name in self._service_names]
        return reflection_pb2.ServerReflectionResponse(
            list_services_response=reflection_pb2.ListServiceResponse(service=named)
        )


def _files(file: FileDescriptor) -> reflection_pb2.ServerReflectionResponse:
    """A file and all that it imports, so that one question is enough."""
    found: dict[str, bytes] = {}
    waiting = [file]
    while waiting:
        one = waiting.pop()
        if one.name not in found:
            found[one.name] = one.serialized_pb
            waiting.extend(one.dependencies)
    return reflection_pb2.ServerReflectionResponse(
        file_descriptor_response=reflection_pb2.FileDescriptorResponse(file_descriptor_proto=list(found.values()))
    )


def _error(code: Code, message: str) -> reflection_pb2.ServerReflectionResponse:
    return reflection_pb2.ServerReflectionResponse(
        error_response=reflection_pb2.ErrorResponse(error_code=int(code), error_message=message)
    )
