"""The pure decision engine: from a datafile's bytes and a user to a decision. Rules: docs/semantics.md.

No clock, no I/O, no randomness, no logging, no await. In order: `parsing` and `entities` read, `compiling`,
`placing` and `audiences` compile, `flags` decides with `placement`, `conditions` and `bucketing`, `answers`
is what comes out.
"""

from sidecar.decision.answers import Decision, ImpressionPart, Reason, RuleType
from sidecar.decision.bucketing import bucket
from sidecar.decision.compiled import CompiledDatafile, compile_datafile, load
from sidecar.decision.datafile import Datafile, DatafileWarning
from sidecar.decision.description import ConfigDescription
from sidecar.decision.flags import CompiledFlag
from sidecar.decision.parsing import parse
from sidecar.decision.placement import Placement
from sidecar.decision.trace import StepKind, Trace, TraceStep
from sidecar.decision.user import User
from sidecar.decision.variables import VariableAnswer

__all__ = [
    "CompiledDatafile",
    "CompiledFlag",
    "ConfigDescription",
    "Datafile",
    "DatafileWarning",
    "Decision",
    "ImpressionPart",
    "Placement",
    "Reason",
    "RuleType",
    "StepKind",
    "Trace",
    "TraceStep",
    "User",
    "VariableAnswer",
    "bucket",
    "compile_datafile",
    "load",
    "parse",
]
