"""The method table against the contract: every method is there and served, reflection tells all."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from sidecar.pb import (
    admin_pb2,
    classic_pb2,
    datafile_pb2,
    decision_pb2,
    notification_pb2,
    profile_pb2,
    tracking_pb2,
)
from sidecar.rpc.methods import Code, Refusal
from sidecar.rpc.table import method_table
from tests.rpc.conftest import Asker

FILES = (
    admin_pb2,
    classic_pb2,
    datafile_pb2,
    decision_pb2,
    notification_pb2,
    profile_pb2,
    tracking_pb2,
)
SERVED = {
    "DecisionService": {"Decide", "DecideMany", "DecideStream", "Explain"},
    "ClassicService": {
        "Activate",
        "GetVariation",
        "IsFeatureEnabled",
        "GetEnabledFeatures",
        "GetFeatureVariable",
        "GetAllFeatureVariables",
        "SetForcedVariation",
        "GetForcedVariation",
    },
    "NotificationService": {"Subscribe"},
    # Not in the table at all without a Unix socket: tests/rpc/test_admin.py.
    "AdminService": {"GetOutboxStats", "Peek", "ListDeadLetters", "Requeue", "Purge"},
    # Not in the table at all while profiles are off: tests/rpc/test_profile.py.
    "ProfileService": {"Lookup", "Save", "Delete"},
    "TrackingService": {"Track", "Identify", "Page", "Screen", "Group", "Alias", "Import", "ImportStream", "Flush"},
    "DatafileService": {"GetStatus", "GetDatafile", "GetConfig", "Watch", "Reload"},
}
METHODS: dict[str, MethodDescriptor] = {
    method.full_name: method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
OPTIONAL = ("AdminService", "ProfileService")
ALWAYS = [method for method in METHODS.values() if method.containing_service.name not in OPTIONAL]


def path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def call(channel: grpc.Channel, method: MethodDescriptor) -> Any:
    """Call a method as its kind wants and read its first reply."""
    body = GetMessageClass(method.input_type)().SerializeToString()
    if method.client_streaming and method.server_streaming:
        both: Any = channel.stream_stream(path(method))
        return next(both(iter([body]), timeout=5))
    if method.client_streaming:
        up: Any = channel.stream_unary(path(method))
        return up(iter([body]), timeout=5)
    if method.server_streaming:
        down: Any = channel.unary_stream(path(method))
        return next(down(body, timeout=5))
    plain: Any = channel.unary_unary(path(method))
    return plain(body, timeout=5)


def test_every_method_of_the_contract_is_listed_here() -> None:
    assert {method.full_name for method in METHODS.values()} == {
        f"sidecar.v1.{service}.{name}" for service, names in SERVED.items() for name in names
    }


@pytest.mark.parametrize("method", ALWAYS, ids=lambda method: method.full_name)
def test_method_is_served(asker: Asker, method: MethodDescriptor) -> None:
    with asker.daemon.channel() as channel:
        try:
            call(channel, method)
        except StopIteration:
            return
        except grpc.RpcError as refused:
            code: Any = refused
            assert code.code() is not grpc.StatusCode.UNIMPLEMENTED


def test_method_that_a_release_does_not_serve_says_so() -> None:
    name = "/sidecar.v1.TrackingService/Track"
    method: Any = method_table([])[name]
    with pytest.raises(Refusal, match=name) as refused:
        method.handler(b"", None)
    assert refused.value.code is Code.UNIMPLEMENTED


@pytest.mark.parametrize("name", ["/sidecar.v1.DecisionService/Nope", "/nope.Service/Nope"])
def test_method_of_no_contract_is_unimplemented_too(asker: Asker, name: str) -> None:
    with pytest.raises(grpc.RpcError) as error:
        asker.send(name, b"")
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_reflection_tells_a_client_every_service_and_message(asker: Asker) -> None:
    with asker.daemon.channel() as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = set(database.get_services())
        pool = DescriptorPool(database)
        optional = {"sidecar.v1.ProfileService", "sidecar.v1.AdminService"}
        always = {method.containing_service.full_name for method in METHODS.values()} - optional
        assert always <= services
        assert {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} <= services
        for service in services:
            if service.startswith(("sidecar.", "grpc.health")):
                found = pool.FindServiceByName(service)
                assert found.methods
        request = pool.FindMessageTypeByName("sidecar.v1.DecideRequest")
        assert [field.name for field in request.fields] == [
            field.name for field in decision_pb2.DecideRequest.DESCRIPTOR.fields
        ]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_answers_questions_one_by_one(asker: Asker, version: str) -> None:
    ask = reflection_pb2.ServerReflectionRequest
    questions = [
        ask(file_by_filename="sidecar/v1/decision.proto"),
        ask(file_containing_symbol="sidecar.v1.Nope"),
        ask(all_extension_numbers_of_type="sidecar.v1.Value"),
        ask(),
        ask(list_services=""),
    ]
    with asker.daemon.channel() as channel:
        info: Any = channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
        stream = info(iter([question.SerializeToString() for question in questions]), timeout=5)
        answers = [reflection_pb2.ServerReflectionResponse.FromString(message) for message in stream]
    assert [answer.original_request for answer in answers] == questions
    files, unknown, extensions, empty, services = answers
    assert files.file_descriptor_response.file_descriptor_proto[0] == decision_pb2.DESCRIPTOR.serialized_pb
    codes = [each.error_response.error_code for each in (unknown, extensions, empty)]
    assert codes == [5, 12, 12]
    assert services.list_services_response.service


@pytest.mark.parametrize(
    ("symbol", "code"),
    [
        ("sidecar.v1.DecisionService.Decide", 0),
        ("sidecar.v1.DecideRequest.user_id", 0),
        ("sidecar.v1.DecisionService.No", 5),
    ],
)
def test_reflection_finds_a_method_by_its_full_name(asker: Asker, symbol: str, code: int) -> None:
    question = reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)
    with asker.daemon.channel() as channel:
        info: Any = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        (message,) = info(iter([question.SerializeToString()]), timeout=5)
    answer = reflection_pb2.ServerReflectionResponse.FromString(message)
    assert answer.error_response.error_code == code
