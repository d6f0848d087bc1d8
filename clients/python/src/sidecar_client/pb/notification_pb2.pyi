from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import decision_pb2 as _decision_pb2
from . import event_pb2 as _event_pb2
from . import value_pb2 as _value_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NotificationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_KIND_UNSPECIFIED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_DECISION: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_TRACKED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_DELIVERY: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_DATAFILE_UPDATE: _ClassVar[NotificationKind]

class DecisionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_KIND_UNSPECIFIED: _ClassVar[DecisionKind]
    DECISION_KIND_FLAG: _ClassVar[DecisionKind]
    DECISION_KIND_EXPERIMENT: _ClassVar[DecisionKind]
    DECISION_KIND_FEATURE: _ClassVar[DecisionKind]
    DECISION_KIND_FEATURE_VARIABLE: _ClassVar[DecisionKind]
    DECISION_KIND_ALL_FEATURE_VARIABLES: _ClassVar[DecisionKind]

class DeliveryState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_STATE_UNSPECIFIED: _ClassVar[DeliveryState]
    DELIVERY_STATE_DELIVERED: _ClassVar[DeliveryState]
    DELIVERY_STATE_RETRYING: _ClassVar[DeliveryState]
    DELIVERY_STATE_DEAD: _ClassVar[DeliveryState]
    DELIVERY_STATE_PAUSED: _ClassVar[DeliveryState]
NOTIFICATION_KIND_UNSPECIFIED: NotificationKind
NOTIFICATION_KIND_DECISION: NotificationKind
NOTIFICATION_KIND_TRACKED: NotificationKind
NOTIFICATION_KIND_DELIVERY: NotificationKind
NOTIFICATION_KIND_DATAFILE_UPDATE: NotificationKind
DECISION_KIND_UNSPECIFIED: DecisionKind
DECISION_KIND_FLAG: DecisionKind
DECISION_KIND_EXPERIMENT: DecisionKind
DECISION_KIND_FEATURE: DecisionKind
DECISION_KIND_FEATURE_VARIABLE: DecisionKind
DECISION_KIND_ALL_FEATURE_VARIABLES: DecisionKind
DELIVERY_STATE_UNSPECIFIED: DeliveryState
DELIVERY_STATE_DELIVERED: DeliveryState
DELIVERY_STATE_RETRYING: DeliveryState
DELIVERY_STATE_DEAD: DeliveryState
DELIVERY_STATE_PAUSED: DeliveryState

class SubscribeRequest(_message.Message):
    __slots__ = ("kinds", "datafile")
    KINDS_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    kinds: _containers.RepeatedScalarFieldContainer[NotificationKind]
    datafile: str
    def __init__(self, kinds: _Optional[_Iterable[_Union[NotificationKind, str]]] = ..., datafile: _Optional[str] = ...) -> None: ...

class SubscribeResponse(_message.Message):
    __slots__ = ("event_time", "lost", "decision", "tracked", "delivery", "datafile_update")
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    TRACKED_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_UPDATE_FIELD_NUMBER: _ClassVar[int]
    event_time: _timestamp_pb2.Timestamp
    lost: int
    decision: DecisionNotification
    tracked: TrackedNotification
    delivery: DeliveryNotification
    datafile_update: DatafileUpdateNotification
    def __init__(self, event_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., lost: _Optional[int] = ..., decision: _Optional[_Union[DecisionNotification, _Mapping]] = ..., tracked: _Optional[_Union[TrackedNotification, _Mapping]] = ..., delivery: _Optional[_Union[DeliveryNotification, _Mapping]] = ..., datafile_update: _Optional[_Union[DatafileUpdateNotification, _Mapping]] = ...) -> None: ...

class DecisionNotification(_message.Message):
    __slots__ = ("user_id", "attributes", "kind", "decision", "decision_id", "revision", "datafile", "impression_offered", "variable_key")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    IMPRESSION_OFFERED_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_KEY_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    kind: DecisionKind
    decision: _decision_pb2.Decision
    decision_id: str
    revision: str
    datafile: str
    impression_offered: bool
    variable_key: str
    def __init__(self, user_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., kind: _Optional[_Union[DecisionKind, str]] = ..., decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., decision_id: _Optional[str] = ..., revision: _Optional[str] = ..., datafile: _Optional[str] = ..., impression_offered: bool = ..., variable_key: _Optional[str] = ...) -> None: ...

class TrackedNotification(_message.Message):
    __slots__ = ("kind", "event_id", "user_id", "anonymous_id", "event_key", "attributes", "event_tags", "properties", "outcomes", "datafile")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class EventTagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_KEY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TAGS_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    kind: _event_pb2.EventKind
    event_id: str
    user_id: str
    anonymous_id: str
    event_key: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    event_tags: _containers.MessageMap[str, _value_pb2.Value]
    properties: _containers.MessageMap[str, _value_pb2.Value]
    outcomes: _containers.RepeatedCompositeFieldContainer[_event_pb2.Outcome]
    datafile: str
    def __init__(self, kind: _Optional[_Union[_event_pb2.EventKind, str]] = ..., event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., event_key: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., event_tags: _Optional[_Mapping[str, _value_pb2.Value]] = ..., properties: _Optional[_Mapping[str, _value_pb2.Value]] = ..., outcomes: _Optional[_Iterable[_Union[_event_pb2.Outcome, _Mapping]]] = ..., datafile: _Optional[str] = ...) -> None: ...

class DeliveryNotification(_message.Message):
    __slots__ = ("destination", "state", "events", "event_ids", "http_status", "error", "attempt")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    HTTP_STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    destination: str
    state: DeliveryState
    events: int
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    http_status: int
    error: str
    attempt: int
    def __init__(self, destination: _Optional[str] = ..., state: _Optional[_Union[DeliveryState, str]] = ..., events: _Optional[int] = ..., event_ids: _Optional[_Iterable[str]] = ..., http_status: _Optional[int] = ..., error: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class DatafileUpdateNotification(_message.Message):
    __slots__ = ("datafile", "revision", "previous_revision")
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_REVISION_FIELD_NUMBER: _ClassVar[int]
    datafile: str
    revision: str
    previous_revision: str
    def __init__(self, datafile: _Optional[str] = ..., revision: _Optional[str] = ..., previous_revision: _Optional[str] = ...) -> None: ...
