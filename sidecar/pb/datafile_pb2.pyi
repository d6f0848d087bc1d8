from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from . import classic_pb2 as _classic_pb2
from . import reason_pb2 as _reason_pb2
from . import value_pb2 as _value_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetStatusRequest(_message.Message):
    __slots__ = ("datafile",)
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    datafile: str
    def __init__(self, datafile: _Optional[str] = ...) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("revision", "source", "loaded_time", "checked_time", "stale", "warnings", "name", "sdk_key", "environment_key", "account_id", "project_id", "size_bytes", "sha256", "from_cache", "last_error", "configured_names")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    LOADED_TIME_FIELD_NUMBER: _ClassVar[int]
    CHECKED_TIME_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SDK_KEY_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    FROM_CACHE_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    CONFIGURED_NAMES_FIELD_NUMBER: _ClassVar[int]
    revision: str
    source: str
    loaded_time: _timestamp_pb2.Timestamp
    checked_time: _timestamp_pb2.Timestamp
    stale: bool
    warnings: _containers.RepeatedCompositeFieldContainer[DatafileWarning]
    name: str
    sdk_key: str
    environment_key: str
    account_id: str
    project_id: str
    size_bytes: int
    sha256: str
    from_cache: bool
    last_error: _status_pb2.Status
    configured_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, revision: _Optional[str] = ..., source: _Optional[str] = ..., loaded_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., checked_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., stale: bool = ..., warnings: _Optional[_Iterable[_Union[DatafileWarning, _Mapping]]] = ..., name: _Optional[str] = ..., sdk_key: _Optional[str] = ..., environment_key: _Optional[str] = ..., account_id: _Optional[str] = ..., project_id: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., from_cache: bool = ..., last_error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., configured_names: _Optional[_Iterable[str]] = ...) -> None: ...

class DatafileWarning(_message.Message):
    __slots__ = ("path", "description", "disabled_flag_key")
    PATH_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FLAG_KEY_FIELD_NUMBER: _ClassVar[int]
    path: str
    description: str
    disabled_flag_key: str
    def __init__(self, path: _Optional[str] = ..., description: _Optional[str] = ..., disabled_flag_key: _Optional[str] = ...) -> None: ...

class GetDatafileRequest(_message.Message):
    __slots__ = ("datafile",)
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    datafile: str
    def __init__(self, datafile: _Optional[str] = ...) -> None: ...

class GetDatafileResponse(_message.Message):
    __slots__ = ("chunk", "revision", "size_bytes")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    revision: str
    size_bytes: int
    def __init__(self, chunk: _Optional[bytes] = ..., revision: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class GetConfigRequest(_message.Message):
    __slots__ = ("datafile", "flag_keys")
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    FLAG_KEYS_FIELD_NUMBER: _ClassVar[int]
    datafile: str
    flag_keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, datafile: _Optional[str] = ..., flag_keys: _Optional[_Iterable[str]] = ...) -> None: ...

class GetConfigResponse(_message.Message):
    __slots__ = ("revision", "sdk_key", "environment_key", "flags", "events", "attributes", "audiences", "holdouts")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SDK_KEY_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    HOLDOUTS_FIELD_NUMBER: _ClassVar[int]
    revision: str
    sdk_key: str
    environment_key: str
    flags: _containers.RepeatedCompositeFieldContainer[ConfigFlag]
    events: _containers.RepeatedCompositeFieldContainer[ConfigEvent]
    attributes: _containers.RepeatedCompositeFieldContainer[ConfigAttribute]
    audiences: _containers.RepeatedCompositeFieldContainer[ConfigAudience]
    holdouts: _containers.RepeatedCompositeFieldContainer[ConfigRule]
    def __init__(self, revision: _Optional[str] = ..., sdk_key: _Optional[str] = ..., environment_key: _Optional[str] = ..., flags: _Optional[_Iterable[_Union[ConfigFlag, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[ConfigEvent, _Mapping]]] = ..., attributes: _Optional[_Iterable[_Union[ConfigAttribute, _Mapping]]] = ..., audiences: _Optional[_Iterable[_Union[ConfigAudience, _Mapping]]] = ..., holdouts: _Optional[_Iterable[_Union[ConfigRule, _Mapping]]] = ...) -> None: ...

class ConfigFlag(_message.Message):
    __slots__ = ("flag_key", "flag_id", "experiment_rules", "delivery_rules", "variables", "invalid_reason")
    FLAG_KEY_FIELD_NUMBER: _ClassVar[int]
    FLAG_ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_RULES_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_RULES_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    INVALID_REASON_FIELD_NUMBER: _ClassVar[int]
    flag_key: str
    flag_id: str
    experiment_rules: _containers.RepeatedCompositeFieldContainer[ConfigRule]
    delivery_rules: _containers.RepeatedCompositeFieldContainer[ConfigRule]
    variables: _containers.RepeatedCompositeFieldContainer[ConfigVariable]
    invalid_reason: str
    def __init__(self, flag_key: _Optional[str] = ..., flag_id: _Optional[str] = ..., experiment_rules: _Optional[_Iterable[_Union[ConfigRule, _Mapping]]] = ..., delivery_rules: _Optional[_Iterable[_Union[ConfigRule, _Mapping]]] = ..., variables: _Optional[_Iterable[_Union[ConfigVariable, _Mapping]]] = ..., invalid_reason: _Optional[str] = ...) -> None: ...

class ConfigRule(_message.Message):
    __slots__ = ("rule_key", "rule_id", "rule_type", "status", "audiences", "variations", "local_holdouts", "experiment_type")
    RULE_KEY_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    VARIATIONS_FIELD_NUMBER: _ClassVar[int]
    LOCAL_HOLDOUTS_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    rule_key: str
    rule_id: str
    rule_type: _reason_pb2.RuleType
    status: str
    audiences: str
    variations: _containers.RepeatedCompositeFieldContainer[ConfigVariation]
    local_holdouts: _containers.RepeatedCompositeFieldContainer[ConfigRule]
    experiment_type: str
    def __init__(self, rule_key: _Optional[str] = ..., rule_id: _Optional[str] = ..., rule_type: _Optional[_Union[_reason_pb2.RuleType, str]] = ..., status: _Optional[str] = ..., audiences: _Optional[str] = ..., variations: _Optional[_Iterable[_Union[ConfigVariation, _Mapping]]] = ..., local_holdouts: _Optional[_Iterable[_Union[ConfigRule, _Mapping]]] = ..., experiment_type: _Optional[str] = ...) -> None: ...

class ConfigVariation(_message.Message):
    __slots__ = ("variation_key", "variation_id", "enabled", "variables", "traffic")
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    VARIATION_ID_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_FIELD_NUMBER: _ClassVar[int]
    variation_key: str
    variation_id: str
    enabled: bool
    variables: _containers.RepeatedCompositeFieldContainer[ConfigVariable]
    traffic: int
    def __init__(self, variation_key: _Optional[str] = ..., variation_id: _Optional[str] = ..., enabled: bool = ..., variables: _Optional[_Iterable[_Union[ConfigVariable, _Mapping]]] = ..., traffic: _Optional[int] = ...) -> None: ...

class ConfigVariable(_message.Message):
    __slots__ = ("variable_key", "variable_id", "variable_type", "value")
    VARIABLE_KEY_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_ID_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    variable_key: str
    variable_id: str
    variable_type: _classic_pb2.VariableType
    value: _value_pb2.Value
    def __init__(self, variable_key: _Optional[str] = ..., variable_id: _Optional[str] = ..., variable_type: _Optional[_Union[_classic_pb2.VariableType, str]] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...

class ConfigEvent(_message.Message):
    __slots__ = ("event_key", "event_id", "experiment_keys")
    EVENT_KEY_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_KEYS_FIELD_NUMBER: _ClassVar[int]
    event_key: str
    event_id: str
    experiment_keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event_key: _Optional[str] = ..., event_id: _Optional[str] = ..., experiment_keys: _Optional[_Iterable[str]] = ...) -> None: ...

class ConfigAttribute(_message.Message):
    __slots__ = ("attribute_key", "attribute_id")
    ATTRIBUTE_KEY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_ID_FIELD_NUMBER: _ClassVar[int]
    attribute_key: str
    attribute_id: str
    def __init__(self, attribute_key: _Optional[str] = ..., attribute_id: _Optional[str] = ...) -> None: ...

class ConfigAudience(_message.Message):
    __slots__ = ("audience_id", "name", "conditions_json")
    AUDIENCE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    audience_id: str
    name: str
    conditions_json: str
    def __init__(self, audience_id: _Optional[str] = ..., name: _Optional[str] = ..., conditions_json: _Optional[str] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("datafile",)
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    datafile: str
    def __init__(self, datafile: _Optional[str] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("revision", "loaded_time", "source", "warnings", "lost")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    LOADED_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    revision: str
    loaded_time: _timestamp_pb2.Timestamp
    source: str
    warnings: int
    lost: int
    def __init__(self, revision: _Optional[str] = ..., loaded_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., warnings: _Optional[int] = ..., lost: _Optional[int] = ...) -> None: ...

class ReloadRequest(_message.Message):
    __slots__ = ("datafile",)
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    datafile: str
    def __init__(self, datafile: _Optional[str] = ...) -> None: ...

class ReloadResponse(_message.Message):
    __slots__ = ("revision", "changed", "error", "warnings")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    revision: str
    changed: bool
    error: _status_pb2.Status
    warnings: int
    def __init__(self, revision: _Optional[str] = ..., changed: bool = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., warnings: _Optional[int] = ...) -> None: ...
