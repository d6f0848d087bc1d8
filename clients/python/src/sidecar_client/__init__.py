"""The client of the decision sidecar: `connect` for threads, `aio.connect` for asyncio, `testing` for tests.

A facade: names for users, nothing else. A decision never raises unless asked to; an event says when it is not
accepted.
"""

from sidecar_client._calls import Counters
from sidecar_client._events import Draft
from sidecar_client._user import User
from sidecar_client.client import Client, connect
from sidecar_client.decisions import DecideOption, Decision, Decisions, ForcedDecision, Reason, RuleType
from sidecar_client.drafts import Drafts
from sidecar_client.errors import (
    AccessDenied,
    ClientClosed,
    DeadlinePassed,
    NotReady,
    Refused,
    RequestRefused,
    SidecarError,
    SidecarFault,
    Unavailable,
    VariableError,
    VariableMissing,
    VariableTypeMismatch,
    Violation,
)
from sidecar_client.events import Accepted, Imported, Money, Outcome, OutcomeState, RefusedBatch
from sidecar_client.explanations import Bucketing, BucketRange, Compared, Condition, ExplainedRule, Explanation
from sidecar_client.settings import DEFAULT_ADDRESS, Settings, Tls
from sidecar_client.status import DatafileChange, DatafileStatus, DatafileWarning, Flushed, Remainder
from sidecar_client.variables import Value, Variables

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_ADDRESS",
    "Accepted",
    "AccessDenied",
    "BucketRange",
    "Bucketing",
    "Client",
    "ClientClosed",
    "Compared",
    "Condition",
    "Counters",
    "DatafileChange",
    "DatafileStatus",
    "DatafileWarning",
    "DeadlinePassed",
    "DecideOption",
    "Decision",
    "Decisions",
    "Draft",
    "Drafts",
    "ExplainedRule",
    "Explanation",
    "Flushed",
    "ForcedDecision",
    "Imported",
    "Money",
    "NotReady",
    "Outcome",
    "OutcomeState",
    "Reason",
    "Refused",
    "RefusedBatch",
    "Remainder",
    "RequestRefused",
    "RuleType",
    "Settings",
    "SidecarError",
    "SidecarFault",
    "Tls",
    "Unavailable",
    "User",
    "Value",
    "VariableError",
    "VariableMissing",
    "VariableTypeMismatch",
    "Variables",
    "Violation",
    "__version__",
    "connect",
]
