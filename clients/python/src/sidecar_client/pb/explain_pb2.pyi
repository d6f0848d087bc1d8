from . import reason_pb2 as _reason_pb2
from . import value_pb2 as _value_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RuleResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_RESULT_UNSPECIFIED: _ClassVar[RuleResult]
    RULE_RESULT_CHOSEN: _ClassVar[RuleResult]
    RULE_RESULT_NOT_REACHED: _ClassVar[RuleResult]
    RULE_RESULT_NOT_RUNNING: _ClassVar[RuleResult]
    RULE_RESULT_AUDIENCE_MISSED: _ClassVar[RuleResult]
    RULE_RESULT_TRAFFIC_MISSED: _ClassVar[RuleResult]
    RULE_RESULT_CMAB_UNSUPPORTED: _ClassVar[RuleResult]
    RULE_RESULT_HELD_OUT: _ClassVar[RuleResult]

class ConditionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONDITION_KIND_UNSPECIFIED: _ClassVar[ConditionKind]
    CONDITION_KIND_AND: _ClassVar[ConditionKind]
    CONDITION_KIND_OR: _ClassVar[ConditionKind]
    CONDITION_KIND_NOT: _ClassVar[ConditionKind]
    CONDITION_KIND_AUDIENCE: _ClassVar[ConditionKind]
    CONDITION_KIND_COMPARISON: _ClassVar[ConditionKind]

class Truth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRUTH_UNSPECIFIED: _ClassVar[Truth]
    TRUTH_TRUE: _ClassVar[Truth]
    TRUTH_FALSE: _ClassVar[Truth]
    TRUTH_UNKNOWN: _ClassVar[Truth]
RULE_RESULT_UNSPECIFIED: RuleResult
RULE_RESULT_CHOSEN: RuleResult
RULE_RESULT_NOT_REACHED: RuleResult
RULE_RESULT_NOT_RUNNING: RuleResult
RULE_RESULT_AUDIENCE_MISSED: RuleResult
RULE_RESULT_TRAFFIC_MISSED: RuleResult
RULE_RESULT_CMAB_UNSUPPORTED: RuleResult
RULE_RESULT_HELD_OUT: RuleResult
CONDITION_KIND_UNSPECIFIED: ConditionKind
CONDITION_KIND_AND: ConditionKind
CONDITION_KIND_OR: ConditionKind
CONDITION_KIND_NOT: ConditionKind
CONDITION_KIND_AUDIENCE: ConditionKind
CONDITION_KIND_COMPARISON: ConditionKind
TRUTH_UNSPECIFIED: Truth
TRUTH_TRUE: Truth
TRUTH_FALSE: Truth
TRUTH_UNKNOWN: Truth

class ExplainedRule(_message.Message):
    __slots__ = ("rule_key", "rule_id", "rule_type", "result", "reason", "variation_key", "status", "local_holdouts", "audience", "group_bucketing", "bucketing", "notes")
    RULE_KEY_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LOCAL_HOLDOUTS_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    GROUP_BUCKETING_FIELD_NUMBER: _ClassVar[int]
    BUCKETING_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    rule_key: str
    rule_id: str
    rule_type: _reason_pb2.RuleType
    result: RuleResult
    reason: _reason_pb2.DecisionReason
    variation_key: str
    status: str
    local_holdouts: _containers.RepeatedCompositeFieldContainer[ExplainedRule]
    audience: ExplainedCondition
    group_bucketing: ExplainedBucketing
    bucketing: ExplainedBucketing
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rule_key: _Optional[str] = ..., rule_id: _Optional[str] = ..., rule_type: _Optional[_Union[_reason_pb2.RuleType, str]] = ..., result: _Optional[_Union[RuleResult, str]] = ..., reason: _Optional[_Union[_reason_pb2.DecisionReason, str]] = ..., variation_key: _Optional[str] = ..., status: _Optional[str] = ..., local_holdouts: _Optional[_Iterable[_Union[ExplainedRule, _Mapping]]] = ..., audience: _Optional[_Union[ExplainedCondition, _Mapping]] = ..., group_bucketing: _Optional[_Union[ExplainedBucketing, _Mapping]] = ..., bucketing: _Optional[_Union[ExplainedBucketing, _Mapping]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class ExplainedCondition(_message.Message):
    __slots__ = ("kind", "truth", "children", "audience_id", "audience_name", "attribute_key", "match", "wanted", "seen", "note")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_NAME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_KEY_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    kind: ConditionKind
    truth: Truth
    children: _containers.RepeatedCompositeFieldContainer[ExplainedCondition]
    audience_id: str
    audience_name: str
    attribute_key: str
    match: str
    wanted: _value_pb2.Value
    seen: _value_pb2.Value
    note: str
    def __init__(self, kind: _Optional[_Union[ConditionKind, str]] = ..., truth: _Optional[_Union[Truth, str]] = ..., children: _Optional[_Iterable[_Union[ExplainedCondition, _Mapping]]] = ..., audience_id: _Optional[str] = ..., audience_name: _Optional[str] = ..., attribute_key: _Optional[str] = ..., match: _Optional[str] = ..., wanted: _Optional[_Union[_value_pb2.Value, _Mapping]] = ..., seen: _Optional[_Union[_value_pb2.Value, _Mapping]] = ..., note: _Optional[str] = ...) -> None: ...

class ExplainedBucketing(_message.Message):
    __slots__ = ("bucketing_id", "entity_id", "hash", "bucket", "ranges", "chosen_entity_id")
    BUCKETING_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    bucketing_id: str
    entity_id: str
    hash: int
    bucket: int
    ranges: _containers.RepeatedCompositeFieldContainer[ExplainedRange]
    chosen_entity_id: str
    def __init__(self, bucketing_id: _Optional[str] = ..., entity_id: _Optional[str] = ..., hash: _Optional[int] = ..., bucket: _Optional[int] = ..., ranges: _Optional[_Iterable[_Union[ExplainedRange, _Mapping]]] = ..., chosen_entity_id: _Optional[str] = ...) -> None: ...

class ExplainedRange(_message.Message):
    __slots__ = ("start_bucket", "end_bucket", "entity_id", "entity_key")
    START_BUCKET_FIELD_NUMBER: _ClassVar[int]
    END_BUCKET_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_KEY_FIELD_NUMBER: _ClassVar[int]
    start_bucket: int
    end_bucket: int
    entity_id: str
    entity_key: str
    def __init__(self, start_bucket: _Optional[int] = ..., end_bucket: _Optional[int] = ..., entity_id: _Optional[str] = ..., entity_key: _Optional[str] = ...) -> None: ...
