from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetOutboxStatsRequest(_message.Message):
    __slots__ = ("datafile",)
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    datafile: str
    def __init__(self, datafile: _Optional[str] = ...) -> None: ...

class GetOutboxStatsResponse(_message.Message):
    __slots__ = ("destinations", "disk_bytes", "unwritable_reason")
    DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    UNWRITABLE_REASON_FIELD_NUMBER: _ClassVar[int]
    destinations: _containers.RepeatedCompositeFieldContainer[DestinationStats]
    disk_bytes: int
    unwritable_reason: str
    def __init__(self, destinations: _Optional[_Iterable[_Union[DestinationStats, _Mapping]]] = ..., disk_bytes: _Optional[int] = ..., unwritable_reason: _Optional[str] = ...) -> None: ...

class DestinationStats(_message.Message):
    __slots__ = ("destination", "accepted", "delivered", "pending", "dead", "dropped", "pending_bytes", "pending_bytes_max", "dead_bytes", "oldest_age", "pause_reason", "paused_time", "last_error")
    class DroppedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    DEAD_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    PENDING_BYTES_FIELD_NUMBER: _ClassVar[int]
    PENDING_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    DEAD_BYTES_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AGE_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    PAUSED_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    destination: str
    accepted: int
    delivered: int
    pending: int
    dead: int
    dropped: _containers.ScalarMap[str, int]
    pending_bytes: int
    pending_bytes_max: int
    dead_bytes: int
    oldest_age: _duration_pb2.Duration
    pause_reason: str
    paused_time: _timestamp_pb2.Timestamp
    last_error: str
    def __init__(self, destination: _Optional[str] = ..., accepted: _Optional[int] = ..., delivered: _Optional[int] = ..., pending: _Optional[int] = ..., dead: _Optional[int] = ..., dropped: _Optional[_Mapping[str, int]] = ..., pending_bytes: _Optional[int] = ..., pending_bytes_max: _Optional[int] = ..., dead_bytes: _Optional[int] = ..., oldest_age: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., pause_reason: _Optional[str] = ..., paused_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., last_error: _Optional[str] = ...) -> None: ...

class PeekRequest(_message.Message):
    __slots__ = ("destination", "limit", "datafile")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    destination: str
    limit: int
    datafile: str
    def __init__(self, destination: _Optional[str] = ..., limit: _Optional[int] = ..., datafile: _Optional[str] = ...) -> None: ...

class PeekResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[PendingEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[PendingEvent, _Mapping]]] = ...) -> None: ...

class PendingEvent(_message.Message):
    __slots__ = ("event_id", "kind", "accepted_time", "datafile", "event_json")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_TIME_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    EVENT_JSON_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    kind: _event_pb2.EventKind
    accepted_time: _timestamp_pb2.Timestamp
    datafile: str
    event_json: str
    def __init__(self, event_id: _Optional[str] = ..., kind: _Optional[_Union[_event_pb2.EventKind, str]] = ..., accepted_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., datafile: _Optional[str] = ..., event_json: _Optional[str] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("destination", "page_size", "page_token", "datafile")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    destination: str
    page_size: int
    page_token: str
    datafile: str
    def __init__(self, destination: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("dead_letters", "next_page_token")
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    next_page_token: str
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("dead_letter_id", "event", "reason", "error", "http_status", "attempts", "dead_time")
    DEAD_LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HTTP_STATUS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    DEAD_TIME_FIELD_NUMBER: _ClassVar[int]
    dead_letter_id: str
    event: PendingEvent
    reason: str
    error: str
    http_status: int
    attempts: int
    dead_time: _timestamp_pb2.Timestamp
    def __init__(self, dead_letter_id: _Optional[str] = ..., event: _Optional[_Union[PendingEvent, _Mapping]] = ..., reason: _Optional[str] = ..., error: _Optional[str] = ..., http_status: _Optional[int] = ..., attempts: _Optional[int] = ..., dead_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RequeueRequest(_message.Message):
    __slots__ = ("destination", "dead_letter_ids", "all", "datafile")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_IDS_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    destination: str
    dead_letter_ids: _containers.RepeatedScalarFieldContainer[str]
    all: bool
    datafile: str
    def __init__(self, destination: _Optional[str] = ..., dead_letter_ids: _Optional[_Iterable[str]] = ..., all: bool = ..., datafile: _Optional[str] = ...) -> None: ...

class RequeueResponse(_message.Message):
    __slots__ = ("requeued", "left")
    REQUEUED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    requeued: int
    left: int
    def __init__(self, requeued: _Optional[int] = ..., left: _Optional[int] = ...) -> None: ...

class PurgeRequest(_message.Message):
    __slots__ = ("destination", "dead_letter_ids", "all", "datafile")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_IDS_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    destination: str
    dead_letter_ids: _containers.RepeatedScalarFieldContainer[str]
    all: bool
    datafile: str
    def __init__(self, destination: _Optional[str] = ..., dead_letter_ids: _Optional[_Iterable[str]] = ..., all: bool = ..., datafile: _Optional[str] = ...) -> None: ...

class PurgeResponse(_message.Message):
    __slots__ = ("purged",)
    PURGED_FIELD_NUMBER: _ClassVar[int]
    purged: int
    def __init__(self, purged: _Optional[int] = ...) -> None: ...
