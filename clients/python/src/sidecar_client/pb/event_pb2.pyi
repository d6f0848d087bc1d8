from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OutcomeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_STATE_UNSPECIFIED: _ClassVar[OutcomeState]
    OUTCOME_STATE_QUEUED: _ClassVar[OutcomeState]
    OUTCOME_STATE_SKIPPED: _ClassVar[OutcomeState]

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_IMPRESSION: _ClassVar[EventKind]
    EVENT_KIND_TRACK: _ClassVar[EventKind]
    EVENT_KIND_IDENTIFY: _ClassVar[EventKind]
    EVENT_KIND_PAGE: _ClassVar[EventKind]
    EVENT_KIND_SCREEN: _ClassVar[EventKind]
    EVENT_KIND_GROUP: _ClassVar[EventKind]
    EVENT_KIND_ALIAS: _ClassVar[EventKind]
OUTCOME_STATE_UNSPECIFIED: OutcomeState
OUTCOME_STATE_QUEUED: OutcomeState
OUTCOME_STATE_SKIPPED: OutcomeState
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_IMPRESSION: EventKind
EVENT_KIND_TRACK: EventKind
EVENT_KIND_IDENTIFY: EventKind
EVENT_KIND_PAGE: EventKind
EVENT_KIND_SCREEN: EventKind
EVENT_KIND_GROUP: EventKind
EVENT_KIND_ALIAS: EventKind

class Outcome(_message.Message):
    __slots__ = ("destination", "state", "reason")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    destination: str
    state: OutcomeState
    reason: str
    def __init__(self, destination: _Optional[str] = ..., state: _Optional[_Union[OutcomeState, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class Money(_message.Message):
    __slots__ = ("amount", "currency")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    amount: str
    currency: str
    def __init__(self, amount: _Optional[str] = ..., currency: _Optional[str] = ...) -> None: ...
