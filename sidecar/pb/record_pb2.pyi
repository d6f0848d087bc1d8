from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredRecord(_message.Message):
    __slots__ = ("calls",)
    CALLS_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[StoredCall]
    def __init__(self, calls: _Optional[_Iterable[_Union[StoredCall, _Mapping]]] = ...) -> None: ...

class StoredCall(_message.Message):
    __slots__ = ("received_time_ms", "call_id", "datafile", "facts_id", "historical", "decide", "track", "identify", "page", "screen", "group", "alias", "decide_user", "activate", "is_feature_enabled", "get_enabled_features", "impressions", "queued_for", "revenue")
    RECEIVED_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    FACTS_ID_FIELD_NUMBER: _ClassVar[int]
    HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    DECIDE_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    IDENTIFY_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    SCREEN_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    DECIDE_USER_FIELD_NUMBER: _ClassVar[int]
    ACTIVATE_FIELD_NUMBER: _ClassVar[int]
    IS_FEATURE_ENABLED_FIELD_NUMBER: _ClassVar[int]
    GET_ENABLED_FEATURES_FIELD_NUMBER: _ClassVar[int]
    IMPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FOR_FIELD_NUMBER: _ClassVar[int]
    REVENUE_FIELD_NUMBER: _ClassVar[int]
    received_time_ms: int
    call_id: str
    datafile: str
    facts_id: int
    historical: bool
    decide: bytes
    track: bytes
    identify: bytes
    page: bytes
    screen: bytes
    group: bytes
    alias: bytes
    decide_user: bytes
    activate: bytes
    is_feature_enabled: bytes
    get_enabled_features: bytes
    impressions: _containers.RepeatedCompositeFieldContainer[StoredImpression]
    queued_for: _containers.RepeatedScalarFieldContainer[str]
    revenue: StoredMoney
    def __init__(self, received_time_ms: _Optional[int] = ..., call_id: _Optional[str] = ..., datafile: _Optional[str] = ..., facts_id: _Optional[int] = ..., historical: bool = ..., decide: _Optional[bytes] = ..., track: _Optional[bytes] = ..., identify: _Optional[bytes] = ..., page: _Optional[bytes] = ..., screen: _Optional[bytes] = ..., group: _Optional[bytes] = ..., alias: _Optional[bytes] = ..., decide_user: _Optional[bytes] = ..., activate: _Optional[bytes] = ..., is_feature_enabled: _Optional[bytes] = ..., get_enabled_features: _Optional[bytes] = ..., impressions: _Optional[_Iterable[_Union[StoredImpression, _Mapping]]] = ..., queued_for: _Optional[_Iterable[str]] = ..., revenue: _Optional[_Union[StoredMoney, _Mapping]] = ...) -> None: ...

class StoredImpression(_message.Message):
    __slots__ = ("flag_key", "rule_key", "rule_type", "variation_key", "enabled", "campaign_id", "experiment_id", "variation_id", "experiment_name", "variation_name")
    FLAG_KEY_FIELD_NUMBER: _ClassVar[int]
    RULE_KEY_FIELD_NUMBER: _ClassVar[int]
    RULE_TYPE_FIELD_NUMBER: _ClassVar[int]
    VARIATION_KEY_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VARIATION_ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_NAME_FIELD_NUMBER: _ClassVar[int]
    VARIATION_NAME_FIELD_NUMBER: _ClassVar[int]
    flag_key: str
    rule_key: str
    rule_type: str
    variation_key: str
    enabled: bool
    campaign_id: str
    experiment_id: str
    variation_id: str
    experiment_name: str
    variation_name: str
    def __init__(self, flag_key: _Optional[str] = ..., rule_key: _Optional[str] = ..., rule_type: _Optional[str] = ..., variation_key: _Optional[str] = ..., enabled: bool = ..., campaign_id: _Optional[str] = ..., experiment_id: _Optional[str] = ..., variation_id: _Optional[str] = ..., experiment_name: _Optional[str] = ..., variation_name: _Optional[str] = ...) -> None: ...

class StoredMoney(_message.Message):
    __slots__ = ("amount", "currency")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    amount: str
    currency: str
    def __init__(self, amount: _Optional[str] = ..., currency: _Optional[str] = ...) -> None: ...

class StoredFacts(_message.Message):
    __slots__ = ("account_id", "project_id", "revision", "region", "sdk_key", "anonymize_ip", "bot_filtering", "attribute_ids", "event_ids")
    class AttributeIdsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class EventIdsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SDK_KEY_FIELD_NUMBER: _ClassVar[int]
    ANONYMIZE_IP_FIELD_NUMBER: _ClassVar[int]
    BOT_FILTERING_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_IDS_FIELD_NUMBER: _ClassVar[int]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    project_id: str
    revision: str
    region: str
    sdk_key: str
    anonymize_ip: bool
    bot_filtering: bool
    attribute_ids: _containers.ScalarMap[str, str]
    event_ids: _containers.ScalarMap[str, str]
    def __init__(self, account_id: _Optional[str] = ..., project_id: _Optional[str] = ..., revision: _Optional[str] = ..., region: _Optional[str] = ..., sdk_key: _Optional[str] = ..., anonymize_ip: bool = ..., bot_filtering: bool = ..., attribute_ids: _Optional[_Mapping[str, str]] = ..., event_ids: _Optional[_Mapping[str, str]] = ...) -> None: ...
