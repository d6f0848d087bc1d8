from . import reason_pb2 as _reason_pb2
from . import value_pb2 as _value_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VariableType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VARIABLE_TYPE_UNSPECIFIED: _ClassVar[VariableType]
    VARIABLE_TYPE_STRING: _ClassVar[VariableType]
    VARIABLE_TYPE_BOOLEAN: _ClassVar[VariableType]
    VARIABLE_TYPE_INTEGER: _ClassVar[VariableType]
    VARIABLE_TYPE_DOUBLE: _ClassVar[VariableType]
    VARIABLE_TYPE_JSON: _ClassVar[VariableType]

class VariableResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VARIABLE_RESULT_UNSPECIFIED: _ClassVar[VariableResult]
    VARIABLE_RESULT_VARIATION: _ClassVar[VariableResult]
    VARIABLE_RESULT_DEFAULT: _ClassVar[VariableResult]
    VARIABLE_RESULT_FLAG_NOT_FOUND: _ClassVar[VariableResult]
    VARIABLE_RESULT_VARIABLE_NOT_FOUND: _ClassVar[VariableResult]
    VARIABLE_RESULT_TYPE_MISMATCH: _ClassVar[VariableResult]
    VARIABLE_RESULT_VALUE_INVALID: _ClassVar[VariableResult]
VARIABLE_TYPE_UNSPECIFIED: VariableType
VARIABLE_TYPE_STRING: VariableType
VARIABLE_TYPE_BOOLEAN: VariableType
VARIABLE_TYPE_INTEGER: VariableType
VARIABLE_TYPE_DOUBLE: VariableType
VARIABLE_TYPE_JSON: VariableType
VARIABLE_RESULT_UNSPECIFIED: VariableResult
VARIABLE_RESULT_VARIATION: VariableResult
VARIABLE_RESULT_DEFAULT: VariableResult
VARIABLE_RESULT_FLAG_NOT_FOUND: VariableResult
VARIABLE_RESULT_VARIABLE_NOT_FOUND: VariableResult
VARIABLE_RESULT_TYPE_MISMATCH: VariableResult
VARIABLE_RESULT_VALUE_INVALID: VariableResult

class ActivateRequest(_message.Message):
    __slots__ = ("user_id", "attributes", "experiment_key", "decision_id", "datafile")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    experiment_key: str
    decision_id: str
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., experiment_key: _Optional[str] = ..., decision_id: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class ActivateResponse(_message.Message):
    __slots__ = ("variation_key", "experiment_id", "variation_id", "reason", "revision", "decision_id")
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VARIATION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    variation_key: str
    experiment_id: str
    variation_id: str
    reason: _reason_pb2.DecisionReason
    revision: str
    decision_id: str
    def __init__(self, variation_key: _Optional[str] = ..., experiment_id: _Optional[str] = ..., variation_id: _Optional[str] = ..., reason: _Optional[_Union[_reason_pb2.DecisionReason, str]] = ..., revision: _Optional[str] = ..., decision_id: _Optional[str] = ...) -> None: ...

class GetVariationRequest(_message.Message):
    __slots__ = ("user_id", "attributes", "experiment_key", "datafile")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    experiment_key: str
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., experiment_key: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class GetVariationResponse(_message.Message):
    __slots__ = ("variation_key", "experiment_id", "variation_id", "reason", "revision")
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VARIATION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    variation_key: str
    experiment_id: str
    variation_id: str
    reason: _reason_pb2.DecisionReason
    revision: str
    def __init__(self, variation_key: _Optional[str] = ..., experiment_id: _Optional[str] = ..., variation_id: _Optional[str] = ..., reason: _Optional[_Union[_reason_pb2.DecisionReason, str]] = ..., revision: _Optional[str] = ...) -> None: ...

class IsFeatureEnabledRequest(_message.Message):
    __slots__ = ("user_id", "attributes", "flag_key", "decision_id", "datafile")
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
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    flag_key: str
    decision_id: str
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., flag_key: _Optional[str] = ..., decision_id: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class IsFeatureEnabledResponse(_message.Message):
    __slots__ = ("enabled", "variation_key", "rule_key", "rule_type", "reason", "revision", "decision_id")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    RULE_KEY_FIELD_NUMBER: _ClassVar[int]
    RULE_TYPE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    variation_key: str
    rule_key: str
    rule_type: _reason_pb2.RuleType
    reason: _reason_pb2.DecisionReason
    revision: str
    decision_id: str
    def __init__(self, enabled: bool = ..., variation_key: _Optional[str] = ..., rule_key: _Optional[str] = ..., rule_type: _Optional[_Union[_reason_pb2.RuleType, str]] = ..., reason: _Optional[_Union[_reason_pb2.DecisionReason, str]] = ..., revision: _Optional[str] = ..., decision_id: _Optional[str] = ...) -> None: ...

class GetEnabledFeaturesRequest(_message.Message):
    __slots__ = ("user_id", "attributes", "decision_id", "datafile")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    decision_id: str
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., decision_id: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class GetEnabledFeaturesResponse(_message.Message):
    __slots__ = ("flag_keys", "revision", "decision_id")
    FLAG_KEYS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    flag_keys: _containers.RepeatedScalarFieldContainer[str]
    revision: str
    decision_id: str
    def __init__(self, flag_keys: _Optional[_Iterable[str]] = ..., revision: _Optional[str] = ..., decision_id: _Optional[str] = ...) -> None: ...

class GetFeatureVariableRequest(_message.Message):
    __slots__ = ("user_id", "attributes", "flag_key", "variable_key", "variable_type", "datafile")
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
    VARIABLE_KEY_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    flag_key: str
    variable_key: str
    variable_type: VariableType
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., flag_key: _Optional[str] = ..., variable_key: _Optional[str] = ..., variable_type: _Optional[_Union[VariableType, str]] = ..., datafile: _Optional[str] = ...) -> None: ...

class GetFeatureVariableResponse(_message.Message):
    __slots__ = ("value", "variable_type", "result", "enabled", "variation_key", "revision")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    value: _value_pb2.Value
    variable_type: VariableType
    result: VariableResult
    enabled: bool
    variation_key: str
    revision: str
    def __init__(self, value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ..., variable_type: _Optional[_Union[VariableType, str]] = ..., result: _Optional[_Union[VariableResult, str]] = ..., enabled: bool = ..., variation_key: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class GetAllFeatureVariablesRequest(_message.Message):
    __slots__ = ("user_id", "attributes", "flag_key", "datafile")
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
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    flag_key: str
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., flag_key: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class GetAllFeatureVariablesResponse(_message.Message):
    __slots__ = ("variables", "enabled", "variation_key", "reason", "revision")
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    variables: _containers.MessageMap[str, _value_pb2.Value]
    enabled: bool
    variation_key: str
    reason: _reason_pb2.DecisionReason
    revision: str
    def __init__(self, variables: _Optional[_Mapping[str, _value_pb2.Value]] = ..., enabled: bool = ..., variation_key: _Optional[str] = ..., reason: _Optional[_Union[_reason_pb2.DecisionReason, str]] = ..., revision: _Optional[str] = ...) -> None: ...

class SetForcedVariationRequest(_message.Message):
    __slots__ = ("user_id", "experiment_key", "variation_key", "datafile")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    experiment_key: str
    variation_key: str
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., experiment_key: _Optional[str] = ..., variation_key: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class SetForcedVariationResponse(_message.Message):
    __slots__ = ("replaced_variation_key",)
    REPLACED_VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    replaced_variation_key: str
    def __init__(self, replaced_variation_key: _Optional[str] = ...) -> None: ...

class GetForcedVariationRequest(_message.Message):
    __slots__ = ("user_id", "experiment_key", "datafile")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    experiment_key: str
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., experiment_key: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class GetForcedVariationResponse(_message.Message):
    __slots__ = ("variation_key",)
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    variation_key: str
    def __init__(self, variation_key: _Optional[str] = ...) -> None: ...
