"""`grpc.health.v1.Health` as handlers. What serves is said by `app` through `Health.set`; nothing is measured here.

The names: "" is the process, `datafile/NAME` one datafile, and the full name of each service follows the process.
Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final

from grpc_health.v1 import health_pb2

from sidecar.rpc.methods import Call, Code, Method, ServerStream, Unary
from sidecar.rpc.refusals import refusal
from sidecar.rpc.requests import Violations, parse

SERVICE: Final = "/grpc.health.v1.Health/"
DATAFILE: Final = "datafile/"

SERVING: Final = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN: Final = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Health:
    """What is served, by name; readers of `Watch` are woken at each change."""

    def __init__(self) -> None:
        self._statuses: dict[str, int] = {"": NOT_SERVING}
        self._changed = asyncio.Event()
        self.stopping = False

    def name_services(self, services: Iterable[str]) -> None:
        """Let full service names follow the process from now on."""
        for service in services:
            self._statuses.setdefault(service, self._statuses[""])

    def set(self, name: str, *, serving: bool) -> None:
        """Say whether a name serves; a name that was never set is unknown. Nothing serves again after `stop`."""
        status = SERVING if serving and not self.stopping else NOT_SERVING
        for each in (name,) if name else [each for each in self._statuses if not each.startswith(DATAFILE)]:
            self._statuses[each] = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def stop(self) -> None:
        """Say that nothing serves any more: the process is on its way down."""
        self.stopping = True
        for name in list(self._statuses):
            self.set(name, serving=False)

    def serving(self, name: str = "") -> bool:
        """Whether a name serves."""
        return self._statuses.get(name) == SERVING

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        return {
            SERVICE + "Check": Unary(self.check),
            SERVICE + "Watch": ServerStream(self.watch),
        }

    def check(self, request: bytes, call: Call) -> bytes:
        """`Check`: NOT_FOUND for a name that was never set."""
        name = parse(health_pb2.HealthCheckRequest, request, Violations()).service
        status = self._statuses.get(name)
        if status is None:
            raise refusal(Code.NOT_FOUND, "SERVICE_NOT_FOUND", f"no service or datafile `{name}` is known to health")
        return _reply(status)

    async def watch(self, request: bytes, call: Call) -> AsyncIterator[bytes]:
        """`Watch`: the status now, then each change, until the caller leaves or the process stops."""
        name = parse(health_pb2.HealthCheckRequest, request, Violations()).service
        said = None
        while True:
            changed = self._changed
            status = self._statuses.get(name, SERVICE_UNKNOWN)
            if status != said:
                said = status
                yield _reply(status)
            await changed.wait()


def service_names(methods: Iterable[str]) -> frozenset[str]:
    """The full names of the services in a method table."""
    return frozenset(method.split("/")[1] for method in methods)


def _reply(status: int) -> bytes:
    return health_pb2.HealthCheckResponse(status=status).SerializeToString()
