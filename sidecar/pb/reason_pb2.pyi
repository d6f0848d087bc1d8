from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class DecisionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_REASON_UNSPECIFIED: _ClassVar[DecisionReason]
    DECISION_REASON_BUCKETED: _ClassVar[DecisionReason]
    DECISION_REASON_ROLLOUT: _ClassVar[DecisionReason]
    DECISION_REASON_NO_RULE_MATCHED: _ClassVar[DecisionReason]
    DECISION_REASON_FLAG_NOT_FOUND: _ClassVar[DecisionReason]
    DECISION_REASON_FLAG_INVALID: _ClassVar[DecisionReason]
    DECISION_REASON_FLAG_FORCED: _ClassVar[DecisionReason]
    DECISION_REASON_RULE_FORCED: _ClassVar[DecisionReason]
    DECISION_REASON_HOLDOUT: _ClassVar[DecisionReason]
    DECISION_REASON_FORCED_VARIATION: _ClassVar[DecisionReason]
    DECISION_REASON_WHITELISTED: _ClassVar[DecisionReason]
    DECISION_REASON_STICKY: _ClassVar[DecisionReason]
    DECISION_REASON_CMAB_UNSUPPORTED: _ClassVar[DecisionReason]
    DECISION_REASON_EXPERIMENT_NOT_FOUND: _ClassVar[DecisionReason]
    DECISION_REASON_EXPERIMENT_NOT_RUNNING: _ClassVar[DecisionReason]

class RuleType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_TYPE_UNSPECIFIED: _ClassVar[RuleType]
    RULE_TYPE_FEATURE_TEST: _ClassVar[RuleType]
    RULE_TYPE_ROLLOUT: _ClassVar[RuleType]
    RULE_TYPE_HOLDOUT: _ClassVar[RuleType]
    RULE_TYPE_EXPERIMENT: _ClassVar[RuleType]
DECISION_REASON_UNSPECIFIED: DecisionReason
DECISION_REASON_BUCKETED: DecisionReason
DECISION_REASON_ROLLOUT: DecisionReason
DECISION_REASON_NO_RULE_MATCHED: DecisionReason
DECISION_REASON_FLAG_NOT_FOUND: DecisionReason
DECISION_REASON_FLAG_INVALID: DecisionReason
DECISION_REASON_FLAG_FORCED: DecisionReason
DECISION_REASON_RULE_FORCED: DecisionReason
DECISION_REASON_HOLDOUT: DecisionReason
DECISION_REASON_FORCED_VARIATION: DecisionReason
DECISION_REASON_WHITELISTED: DecisionReason
DECISION_REASON_STICKY: DecisionReason
DECISION_REASON_CMAB_UNSUPPORTED: DecisionReason
DECISION_REASON_EXPERIMENT_NOT_FOUND: DecisionReason
DECISION_REASON_EXPERIMENT_NOT_RUNNING: DecisionReason
RULE_TYPE_UNSPECIFIED: RuleType
RULE_TYPE_FEATURE_TEST: RuleType
RULE_TYPE_ROLLOUT: RuleType
RULE_TYPE_HOLDOUT: RuleType
RULE_TYPE_EXPERIMENT: RuleType
