from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class LookupRequest(_message.Message):
    __slots__ = ("user_id", "datafile")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., datafile: _Optional[str] = ...) -> None: ...

class LookupResponse(_message.Message):
    __slots__ = ("variation_ids",)
    class VariationIdsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VARIATION_IDS_FIELD_NUMBER: _ClassVar[int]
    variation_ids: _containers.ScalarMap[str, str]
    def __init__(self, variation_ids: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SaveRequest(_message.Message):
    __slots__ = ("user_id", "variation_ids", "datafile")
    class VariationIdsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VARIATION_IDS_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    variation_ids: _containers.ScalarMap[str, str]
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., variation_ids: _Optional[_Mapping[str, str]] = ..., datafile: _Optional[str] = ...) -> None: ...

class SaveResponse(_message.Message):
    __slots__ = ("variation_ids",)
    class VariationIdsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VARIATION_IDS_FIELD_NUMBER: _ClassVar[int]
    variation_ids: _containers.ScalarMap[str, str]
    def __init__(self, variation_ids: _Optional[_Mapping[str, str]] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("user_id", "experiment_ids", "datafile")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    experiment_ids: _containers.RepeatedScalarFieldContainer[str]
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., experiment_ids: _Optional[_Iterable[str]] = ..., datafile: _Optional[str] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: int
    def __init__(self, deleted: _Optional[int] = ...) -> None: ...
