"""The promises of the contract that no linter can hold: names, shapes and numbers that clients rely on."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from sidecar.pb import (
    admin_pb2,
    classic_pb2,
    datafile_pb2,
    decision_pb2,
    notification_pb2,
    profile_pb2,
    tracking_pb2,
)

MODULES: tuple[ModuleType, ...] = (
    admin_pb2,
    classic_pb2,
    datafile_pb2,
    decision_pb2,
    notification_pb2,
    profile_pb2,
    tracking_pb2,
)

# By service; `>` marks a stream of requests, `<` a stream of responses.
METHODS = {
    "AdminService": "GetOutboxStats ListDeadLetters Peek Purge Requeue",
    "ClassicService": (
        "Activate GetAllFeatureVariables GetEnabledFeatures GetFeatureVariable GetForcedVariation"
        " GetVariation IsFeatureEnabled SetForcedVariation"
    ),
    "DatafileService": "GetConfig GetDatafile< GetStatus Reload Watch<",
    "DecisionService": "Decide DecideMany DecideStream>< Explain",
    "NotificationService": "Subscribe<",
    "ProfileService": "Delete Lookup Save",
    "TrackingService": "Alias Flush Group Identify Import ImportStream>< Page Screen Track",
}

FIELDS = {
    "DecideRequest": ("user_id attributes flag_keys options forced_decisions qualified_segments decision_id datafile"),
    "DecideResponse": "decisions revision decision_id",
    "Decision": (
        "flag_key variation_key enabled variables rule_key rule_type reason experiment_id variation_id reasons"
    ),
    "ForcedDecision": "flag_key rule_key variation_key",
    "TrackRequest": (
        "user_id anonymous_id event_key attributes event_tags properties revenue event_id timestamp context"
        " integrations datafile"
    ),
    "TrackResponse": "event_id outcomes exposure_seen_here",
}


def services() -> Iterator[ServiceDescriptor]:
    for module in MODULES:
        yield from module.DESCRIPTOR.services_by_name.values()


def methods() -> list[MethodDescriptor]:
    return [method for service in services() for method in service.methods]


def requests() -> list[Descriptor]:
    return [method.input_type for method in methods()]


def test_the_contract_has_exactly_these_services_and_methods() -> None:
    found = {
        service.name: " ".join(
            method.name + ">" * method.client_streaming + "<" * method.server_streaming
            for method in sorted(service.methods, key=lambda method: method.name)
        )
        for service in services()
    }
    assert found == METHODS


def test_every_method_has_a_request_and_a_response_of_its_own_name() -> None:
    names = [(method.name, method.input_type.name, method.output_type.name) for method in methods()]
    assert names == [(name, f"{name}Request", f"{name}Response") for name, _, _ in names]


@pytest.mark.parametrize("message", sorted(FIELDS))
def test_fields_that_others_rely_on_are_numbered_in_the_order_of_the_design(message: str) -> None:
    module = tracking_pb2 if message.startswith("Track") else decision_pb2
    descriptor: Descriptor = module.DESCRIPTOR.message_types_by_name[message]
    assert {field.number: field.name for field in descriptor.fields} == dict(
        enumerate(FIELDS[message].split(), start=1)
    )


@pytest.mark.parametrize("request_type", requests(), ids=lambda descriptor: descriptor.name)
def test_every_request_names_a_datafile(request_type: Descriptor) -> None:
    # A message of DecideStream is a whole DecideRequest, which names it.
    carrier = request_type.fields_by_name["decide"].message_type if "decide" in request_type.fields_by_name else None
    field = (carrier or request_type).fields_by_name["datafile"]
    assert field.type == FieldDescriptor.TYPE_STRING


@pytest.mark.parametrize("request_type", requests(), ids=lambda descriptor: descriptor.name)
def test_a_request_for_one_user_starts_with_the_user(request_type: Descriptor) -> None:
    user = request_type.fields_by_name.get("user_id")
    assert user is None or user.number == 1


@pytest.mark.parametrize("twin", ["DecideManyUser", "ExplainRequest"])
def test_a_twin_of_decide_request_has_its_numbers(twin: str) -> None:
    numbers = {field.name: field.number for field in decision_pb2.DecideRequest.DESCRIPTOR.fields}
    fields = decision_pb2.DESCRIPTOR.message_types_by_name[twin].fields
    shared = {field.name: field.number for field in fields if field.name in numbers}
    assert shared == {name: numbers[name] for name in shared}
    assert {"user_id", "attributes", "forced_decisions", "qualified_segments"} <= shared.keys()


def test_a_user_of_decide_many_reads_as_a_decide_request() -> None:
    user = decision_pb2.DecideManyUser(
        user_id="ada",
        forced_decisions=[decision_pb2.ForcedDecision(flag_key="flag", variation_key="on")],
        qualified_segments=decision_pb2.QualifiedSegments(),
        decision_id="decision-1",
    )
    user.attributes["age"].int_value = 36
    request = decision_pb2.DecideRequest.FromString(user.SerializeToString())
    assert (request.user_id, request.decision_id, request.attributes["age"].int_value) == (
        "ada",
        "decision-1",
        36,
    )
    assert request.forced_decisions == user.forced_decisions
    assert request.HasField("qualified_segments")
    assert [*request.flag_keys, *request.options, request.datafile] == [""]
