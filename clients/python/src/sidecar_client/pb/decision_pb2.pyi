from google.rpc import status_pb2 as _status_pb2
from . import explain_pb2 as _explain_pb2
from . import reason_pb2 as _reason_pb2
from . import value_pb2 as _value_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DecideOption(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECIDE_OPTION_UNSPECIFIED: _ClassVar[DecideOption]
    DECIDE_OPTION_DISABLE_DECISION_EVENT: _ClassVar[DecideOption]
    DECIDE_OPTION_ENABLED_FLAGS_ONLY: _ClassVar[DecideOption]
    DECIDE_OPTION_IGNORE_USER_PROFILE_SERVICE: _ClassVar[DecideOption]
    DECIDE_OPTION_INCLUDE_REASONS: _ClassVar[DecideOption]
    DECIDE_OPTION_EXCLUDE_VARIABLES: _ClassVar[DecideOption]
DECIDE_OPTION_UNSPECIFIED: DecideOption
DECIDE_OPTION_DISABLE_DECISION_EVENT: DecideOption
DECIDE_OPTION_ENABLED_FLAGS_ONLY: DecideOption
DECIDE_OPTION_IGNORE_USER_PROFILE_SERVICE: DecideOption
DECIDE_OPTION_INCLUDE_REASONS: DecideOption
DECIDE_OPTION_EXCLUDE_VARIABLES: DecideOption

class DecideRequest(_message.Message):
    __slots__ = ("user_id", "attributes", "flag_keys", "options", "forced_decisions", "qualified_segments", "decision_id", "datafile")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    FLAG_KEYS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    FORCED_DECISIONS_FIELD_NUMBER: _ClassVar[int]
    QUALIFIED_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    flag_keys: _containers.RepeatedScalarFieldContainer[str]
    options: _containers.RepeatedScalarFieldContainer[DecideOption]
    forced_decisions: _containers.RepeatedCompositeFieldContainer[ForcedDecision]
    qualified_segments: QualifiedSegments
    decision_id: str
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., flag_keys: _Optional[_Iterable[str]] = ..., options: _Optional[_Iterable[_Union[DecideOption, str]]] = ..., forced_decisions: _Optional[_Iterable[_Union[ForcedDecision, _Mapping]]] = ..., qualified_segments: _Optional[_Union[QualifiedSegments, _Mapping]] = ..., decision_id: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class DecideResponse(_message.Message):
    __slots__ = ("decisions", "revision", "decision_id")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[Decision]
    revision: str
    decision_id: str
    def __init__(self, decisions: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ..., revision: _Optional[str] = ..., decision_id: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("flag_key", "variation_key", "enabled", "variables", "rule_key", "rule_type", "reason", "experiment_id", "variation_id", "reasons")
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    FLAG_KEY_FIELD_NUMBER: _ClassVar[int]
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    RULE_KEY_FIELD_NUMBER: _ClassVar[int]
    RULE_TYPE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VARIATION_ID_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    flag_key: str
    variation_key: str
    enabled: bool
    variables: _containers.MessageMap[str, _value_pb2.Value]
    rule_key: str
    rule_type: _reason_pb2.RuleType
    reason: _reason_pb2.DecisionReason
    experiment_id: str
    variation_id: str
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, flag_key: _Optional[str] = ..., variation_key: _Optional[str] = ..., enabled: bool = ..., variables: _Optional[_Mapping[str, _value_pb2.Value]] = ..., rule_key: _Optional[str] = ..., rule_type: _Optional[_Union[_reason_pb2.RuleType, str]] = ..., reason: _Optional[_Union[_reason_pb2.DecisionReason, str]] = ..., experiment_id: _Optional[str] = ..., variation_id: _Optional[str] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class ForcedDecision(_message.Message):
    __slots__ = ("flag_key", "rule_key", "variation_key")
    FLAG_KEY_FIELD_NUMBER: _ClassVar[int]
    RULE_KEY_FIELD_NUMBER: _ClassVar[int]
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    flag_key: str
    rule_key: str
    variation_key: str
    def __init__(self, flag_key: _Optional[str] = ..., rule_key: _Optional[str] = ..., variation_key: _Optional[str] = ...) -> None: ...

class QualifiedSegments(_message.Message):
    __slots__ = ("keys",)
    KEYS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, keys: _Optional[_Iterable[str]] = ...) -> None: ...

class DecideManyRequest(_message.Message):
    __slots__ = ("users", "flag_keys", "options", "datafile")
    USERS_FIELD_NUMBER: _ClassVar[int]
    FLAG_KEYS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[DecideManyUser]
    flag_keys: _containers.RepeatedScalarFieldContainer[str]
    options: _containers.RepeatedScalarFieldContainer[DecideOption]
    datafile: str
    def __init__(self, users: _Optional[_Iterable[_Union[DecideManyUser, _Mapping]]] = ..., flag_keys: _Optional[_Iterable[str]] = ..., options: _Optional[_Iterable[_Union[DecideOption, str]]] = ..., datafile: _Optional[str] = ...) -> None: ...

class DecideManyUser(_message.Message):
    __slots__ = ("user_id", "attributes", "forced_decisions", "qualified_segments", "decision_id")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    FORCED_DECISIONS_FIELD_NUMBER: _ClassVar[int]
    QUALIFIED_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    forced_decisions: _containers.RepeatedCompositeFieldContainer[ForcedDecision]
    qualified_segments: QualifiedSegments
    decision_id: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., forced_decisions: _Optional[_Iterable[_Union[ForcedDecision, _Mapping]]] = ..., qualified_segments: _Optional[_Union[QualifiedSegments, _Mapping]] = ..., decision_id: _Optional[str] = ...) -> None: ...

class DecideManyResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[DecideManyResult]
    def __init__(self, results: _Optional[_Iterable[_Union[DecideManyResult, _Mapping]]] = ...) -> None: ...

class DecideManyResult(_message.Message):
    __slots__ = ("decided", "error")
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    decided: DecideResponse
    error: _status_pb2.Status
    def __init__(self, decided: _Optional[_Union[DecideResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class DecideStreamRequest(_message.Message):
    __slots__ = ("decide",)
    DECIDE_FIELD_NUMBER: _ClassVar[int]
    decide: DecideRequest
    def __init__(self, decide: _Optional[_Union[DecideRequest, _Mapping]] = ...) -> None: ...

class DecideStreamResponse(_message.Message):
    __slots__ = ("decided", "error")
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    decided: DecideResponse
    error: _status_pb2.Status
    def __init__(self, decided: _Optional[_Union[DecideResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("user_id", "attributes", "flag_key", "options", "forced_decisions", "qualified_segments", "datafile")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    FLAG_KEY_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    FORCED_DECISIONS_FIELD_NUMBER: _ClassVar[int]
    QUALIFIED_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    flag_key: str
    options: _containers.RepeatedScalarFieldContainer[DecideOption]
    forced_decisions: _containers.RepeatedCompositeFieldContainer[ForcedDecision]
    qualified_segments: QualifiedSegments
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., flag_key: _Optional[str] = ..., options: _Optional[_Iterable[_Union[DecideOption, str]]] = ..., forced_decisions: _Optional[_Iterable[_Union[ForcedDecision, _Mapping]]] = ..., qualified_segments: _Optional[_Union[QualifiedSegments, _Mapping]] = ..., datafile: _Optional[str] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("decision", "revision", "bucketing_id", "makes_impression", "rules")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    BUCKETING_ID_FIELD_NUMBER: _ClassVar[int]
    MAKES_IMPRESSION_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    decision: Decision
    revision: str
    bucketing_id: str
    makes_impression: bool
    rules: _containers.RepeatedCompositeFieldContainer[_explain_pb2.ExplainedRule]
    def __init__(self, decision: _Optional[_Union[Decision, _Mapping]] = ..., revision: _Optional[str] = ..., bucketing_id: _Optional[str] = ..., makes_impression: bool = ..., rules: _Optional[_Iterable[_Union[_explain_pb2.ExplainedRule, _Mapping]]] = ...) -> None: ...
