"""`ClassicService`: the older calls by their own names. What each call means is in `sidecar.classic`.

The six that decide share one shape, and differ by a row of `_DECIDING`: parse, collect every violation, learn what is
known of the user, answer. Like a Decide they answer at once unless a profile must be looked up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from google.protobuf.message import Message

from sidecar.classic import Asker, Classic
from sidecar.datafiles import Datafiles, Snapshot
from sidecar.decider import UNKNOWN_PROFILE, Decider
from sidecar.decision import User
from sidecar.pb import classic_pb2
from sidecar.rpc import classic_answers
from sidecar.rpc.methods import Call, Method, Unary, UnaryHandler
from sidecar.rpc.refusals import raise_if_late
from sidecar.rpc.requests import Violations, check_id, check_user_id, parse
from sidecar.rpc.wire_values import mapping

SERVICE: Final = "/sidecar.v1.ClassicService/"

UserRequest: TypeAlias = (
    classic_pb2.ActivateRequest
    | classic_pb2.GetVariationRequest
    | classic_pb2.IsFeatureEnabledRequest
    | classic_pb2.GetEnabledFeaturesRequest
    | classic_pb2.GetFeatureVariableRequest
    | classic_pb2.GetAllFeatureVariablesRequest
)
"""What the calls that decide are asked with."""
PlaceT = TypeVar("PlaceT", classic_pb2.SetForcedVariationRequest, classic_pb2.GetForcedVariationRequest)
"""What names a user's place in an experiment."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """What differs between the calls that decide. `required` names the keys that may not be empty."""

    method: str
    request: Any
    answer: Callable[[Classic, Asker, Any, bytes], Message]
    required: tuple[str, ...] = ()


_DECIDING: Final = (
    Deciding("Activate", classic_pb2.ActivateRequest, classic_answers.activate, required=("experiment_key",)),
    Deciding("GetVariation", classic_pb2.GetVariationRequest, classic_answers.variation, required=("experiment_key",)),
    Deciding("IsFeatureEnabled", classic_pb2.IsFeatureEnabledRequest, classic_answers.feature, required=("flag_key",)),
    Deciding("GetEnabledFeatures", classic_pb2.GetEnabledFeaturesRequest, classic_answers.enabled_features),
    Deciding(
        "GetFeatureVariable",
        classic_pb2.GetFeatureVariableRequest,
        classic_answers.variable,
        required=("flag_key", "variable_key"),
    ),
    Deciding(
        "GetAllFeatureVariables",
        classic_pb2.GetAllFeatureVariablesRequest,
        classic_answers.variables,
        required=("flag_key",),
    ),
)
_WITH_IMPRESSION: Final = (
    classic_pb2.ActivateRequest,
    classic_pb2.IsFeatureEnabledRequest,
    classic_pb2.GetEnabledFeaturesRequest,
)
_KNOWN_TYPES: Final = frozenset(classic_pb2.VariableType.values())


class ClassicHandlers:
    """Handlers of the service."""

    def __init__(self, datafiles: Datafiles, decider: Decider, classic: Classic) -> None:
        self._datafiles, self._decider, self._classic = datafiles, decider, classic

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        table: dict[str, Method] = {SERVICE + kind.method: Unary(self._handler(kind)) for kind in _DECIDING}
        table[SERVICE + "SetForcedVariation"] = Unary(self.set_forced_variation)
        table[SERVICE + "GetForcedVariation"] = Unary(self.get_forced_variation)
        return table

    async def set_forced_variation(self, request: bytes, call: Call) -> bytes:
        """`SetForcedVariation`: seen by the next decision of any caller."""
        message = _read_place(classic_pb2.SetForcedVariationRequest, request)
        snapshot = self._datafiles.current(message.datafile)
        replaced = await self._classic.force(snapshot, message.user_id, message.experiment_key, message.variation_key)
        return classic_pb2.SetForcedVariationResponse(replaced_variation_key=replaced).SerializeToString()

    def get_forced_variation(self, request: bytes, call: Call) -> bytes:
        """`GetForcedVariation`."""
        message = _read_place(classic_pb2.GetForcedVariationRequest, request)
        snapshot = self._datafiles.current(message.datafile)
        variation_key = self._classic.forced(snapshot, message.user_id, message.experiment_key)
        return classic_pb2.GetForcedVariationResponse(variation_key=variation_key).SerializeToString()

    def _handler(self, kind: Deciding) -> UnaryHandler:
        def handle(request: bytes, call: Call) -> bytes | Awaitable[bytes]:
            violations = Violations()
            message = parse(kind.request, request, violations)
            user = _read_user(kind, message, violations)
            violations.raise_if_any()
            snapshot = self._datafiles.current(message.datafile)
            if self._decider.sticky is not None:
                return self._answer_with_profile(kind, message, request, snapshot, user, call)
            raise_if_late(call)
            asker = Asker(snapshot, self._decider.known(snapshot, user), UNKNOWN_PROFILE)
            return kind.answer(self._classic, asker, message, request).SerializeToString()

        return handle

    async def _answer_with_profile(  # noqa: PLR0917 - what the handler had read when it had to wait
        self, kind: Deciding, message: UserRequest, request: bytes, snapshot: Snapshot, user: User, call: Call
    ) -> bytes:
        profile = await self._decider.profile(snapshot, user.user_id)
        raise_if_late(call)
        asker = Asker(snapshot, self._decider.known(snapshot, user, profile), profile)
        return kind.answer(self._classic, asker, message, request).SerializeToString()


def _read_user(kind: Deciding, message: UserRequest, violations: Violations) -> User:
    check_user_id(message.user_id, violations)
    attributes = mapping(message.attributes, "attributes", violations)
    _check_required(message, kind.required, violations)
    if isinstance(message, _WITH_IMPRESSION):
        check_id(message.decision_id, "decision_id", violations)
    if isinstance(message, classic_pb2.GetFeatureVariableRequest) and message.variable_type not in _KNOWN_TYPES:
        violations.add("variable_type", f"is the unknown type {message.variable_type}, wanted a VariableType")
    return User(message.user_id, attributes)


def _read_place(kind: type[PlaceT], request: bytes) -> PlaceT:
    violations = Violations()
    message = parse(kind, request, violations)
    check_user_id(message.user_id, violations)
    _check_required(message, ("experiment_key",), violations)
    violations.raise_if_any()
    return message


def _check_required(message: Message, names: tuple[str, ...], violations: Violations) -> None:
    for name in names:
        if not getattr(message, name):
            violations.add(name, "is empty, wanted a key")
