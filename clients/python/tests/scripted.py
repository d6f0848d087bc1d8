"""A sidecar for tests: a real gRPC server over TCP or a Unix socket, scripted by the test."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2

from sidecar_client.pb import (
    datafile_pb2,
    datafile_pb2_grpc,
    decision_pb2,
    decision_pb2_grpc,
    reason_pb2,
    tracking_pb2,
    tracking_pb2_grpc,
    value_pb2,
)

MOUNTS: tuple[Any, ...] = (
    decision_pb2_grpc.add_DecisionServiceServicer_to_server,
    tracking_pb2_grpc.add_TrackingServiceServicer_to_server,
    datafile_pb2_grpc.add_DatafileServiceServicer_to_server,
)
ECHOED = {"string_value": "s", "int_value": 2**53 + 1, "double_value": 0.5, "bool_value": True}


class ScriptedSidecar(
    decision_pb2_grpc.DecisionServiceServicer,
    tracking_pb2_grpc.TrackingServiceServicer,
    datafile_pb2_grpc.DatafileServiceServicer,
):
    """Answers plausibly, keeps every request, and fails the next calls as it is told."""

    def __init__(self) -> None:
        self.requests: dict[str, list[Any]] = defaultdict(list)
        self.metadata: dict[str, str] = {}
        self.failures: deque[tuple[grpc.StatusCode, status_pb2.Status | None]] = deque()
        self.changes: queue.Queue[str | None] = queue.Queue()
        self.hold = threading.Event()
        self.hold.set()
        self.entered = threading.Event()
        self.flush = tracking_pb2.FlushResponse()

    def fail(self, code: grpc.StatusCode, status: status_pb2.Status | None = None, *, times: int = 1) -> None:
        self.failures.extend([(code, status)] * times)

    def _enter(self, method: str, request: Message, context: grpc.ServicerContext) -> None:
        self.requests[method].append(request)
        self.metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
        self.entered.set()
        self.hold.wait(timeout=5)
        if self.failures:
            code, status = self.failures.popleft()
            if status is not None:
                context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(code, "told to fail")

    def Decide(self, request: Any, context: Any) -> decision_pb2.DecideResponse:  # noqa: N802 - the contract's name
        self._enter("Decide", request, context)
        response = decision_pb2.DecideResponse(revision="41", decision_id=request.decision_id)
        for flag_key in request.flag_keys or ("first", "second"):
            if decision_pb2.DECIDE_OPTION_ENABLED_FLAGS_ONLY in request.options and flag_key == "off":
                continue
            decision = response.decisions.add(
                flag_key=flag_key,
                variation_key="on",
                enabled=True,
                rule_key="rule",
                rule_type=reason_pb2.RULE_TYPE_FEATURE_TEST,
                reason=reason_pb2.DECISION_REASON_BUCKETED,
                experiment_id="1",
                variation_id="2",
                reasons=["because"],
            )
            for kind, value in ECHOED.items():
                setattr(decision.variables[kind], kind, value)
            decision.variables["null"].null_value = value_pb2.NULL_VALUE_UNSPECIFIED
            for key, value in request.attributes.items():
                decision.variables[key].CopyFrom(value)
        return response

    def Track(self, request: Any, context: Any) -> tracking_pb2.TrackResponse:  # noqa: N802 - the contract's name
        self._enter("Track", request, context)
        response = tracking_pb2.TrackResponse(event_id=request.event_id, exposure_seen_here=True)
        response.outcomes.add(destination="console", state=1)
        response.outcomes.add(destination="shop", state=2, reason="TOO_LARGE")
        return response

    def Identify(self, request: Any, context: Any) -> tracking_pb2.IdentifyResponse:  # noqa: N802 - as above
        self._enter("Identify", request, context)
        return tracking_pb2.IdentifyResponse(event_id=request.event_id)

    def Page(self, request: Any, context: Any) -> tracking_pb2.PageResponse:  # noqa: N802 - as above
        self._enter("Page", request, context)
        return tracking_pb2.PageResponse(event_id=request.event_id)

    def Screen(self, request: Any, context: Any) -> tracking_pb2.ScreenResponse:  # noqa: N802 - as above
        self._enter("Screen", request, context)
        return tracking_pb2.ScreenResponse(event_id=request.event_id)

    def Group(self, request: Any, context: Any) -> tracking_pb2.GroupResponse:  # noqa: N802 - as above
        self._enter("Group", request, context)
        return tracking_pb2.GroupResponse(event_id=request.event_id)

    def Alias(self, request: Any, context: Any) -> tracking_pb2.AliasResponse:  # noqa: N802 - as above
        self._enter("Alias", request, context)
        return tracking_pb2.AliasResponse(event_id=request.event_id)

    def Import(self, request: Any, context: Any) -> tracking_pb2.ImportResponse:  # noqa: N802 - as above
        self._enter("Import", request, context)
        return tracking_pb2.ImportResponse()

    def Flush(self, request: Any, context: Any) -> tracking_pb2.FlushResponse:  # noqa: N802 - as above
        self._enter("Flush", request, context)
        return self.flush

    def GetStatus(self, request: Any, context: Any) -> datafile_pb2.GetStatusResponse:  # noqa: N802 - as above
        self._enter("GetStatus", request, context)
        response = datafile_pb2.GetStatusResponse(name="default", revision="41", source="file:/shop.json")
        response.loaded_time.seconds = 1_700_000_000
        response.stale = True
        response.last_error.message = "no such file"
        response.warnings.add(path="featureFlags[0]", description="odd", disabled_flag_key="odd")
        return response

    def Watch(self, request: Any, context: Any) -> Iterator[datafile_pb2.WatchResponse]:  # noqa: N802 - as above
        self._enter("Watch", request, context)
        context.add_callback(lambda: self.changes.put(None))
        while (revision := self.changes.get(timeout=5)) is not None:
            yield datafile_pb2.WatchResponse(revision=revision, source="file:/shop.json")


class Listening:
    """A scripted sidecar behind a server that can be stopped and started again at the same address."""

    def __init__(self, address: str) -> None:
        self.script = ScriptedSidecar()
        self.address = address
        self.server: grpc.Server | None = None
        self.start()

    def start(self) -> None:
        self.server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
        for mount in MOUNTS:
            mount(self.script, self.server)
        port = self.server.add_insecure_port(self.address)
        if not self.address.startswith("unix:"):
            self.address = f"127.0.0.1:{port}"
        self.server.start()

    def stop(self) -> None:
        self.script.changes.put(None)
        if self.server is not None:
            self.server.stop(None).wait()
        self.server = None
