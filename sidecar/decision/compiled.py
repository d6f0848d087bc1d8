"""A compiled datafile: what the daemon decides with, immutable and complete, one object per revision.

Pure: no clock, no I/O, no randomness, no logging. Rules: docs/semantics.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.decision.answers import Decision, Reason
from sidecar.decision.compiling import FlagCompiler
from sidecar.decision.datafile import Datafile, DatafileWarning, Warnings
from sidecar.decision.description import ConfigDescription, describe
from sidecar.decision.experiments import NOT_FOUND, CompiledExperiment
from sidecar.decision.flags import CompiledFlag
from sidecar.decision.parsing import parse
from sidecar.decision.placement import Placement
from sidecar.decision.trace import StepKind, Trace
from sidecar.decision.user import User
from sidecar.decision.variables import VariableAnswer
from sidecar.values import Pause, no_pause


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledDatafile:
    """Everything one revision of a datafile decides. Maps are in datafile order; treat them as frozen.

    `attribute_ids` and `event_ids` map keys to ids; `experiments` maps keys to the rules of `experiments` and
    `groups`, `deliveries` to those of `rollouts`, for the Classic calls.
    """

    revision: str
    account_id: str
    project_id: str
    sdk_key: str
    environment_key: str
    region: str
    anonymize_ip: bool
    bot_filtering: bool | None
    send_flag_decisions: bool
    flags: Mapping[str, CompiledFlag]
    experiments: Mapping[str, Placement]
    deliveries: Mapping[str, Placement]
    attribute_ids: Mapping[str, str]
    event_ids: Mapping[str, str]
    event_experiments: Mapping[str, tuple[str, ...]]
    """By event key, the ids of the experiments that it measures; events that measure none are not in it."""
    warnings: tuple[DatafileWarning, ...]
    source: Datafile
    """What it was compiled from, as bytes: explanations and descriptions read it again."""
    _asked: dict[str, CompiledExperiment] = field(default_factory=dict, init=False, repr=False)
    """Experiments that were asked for by key, made on demand, so that each of their answers is made once."""

    def decide(self, user: User, flag_key: str, trace: Trace | None = None) -> Decision:
        """Decide one flag; never raises. An unknown flag is a decision of its own (D1).

        With a trace the flag is compiled once more, observed; that takes about a thousand times as long.
        """
        flag = self.flags.get(flag_key)
        if flag is None:
            if trace is not None:
                trace.note(StepKind.FLAG, flag_key, f"there is no flag `{flag_key}`", answer=False)
            return Decision(flag_key=flag_key, reason=Reason.FLAG_NOT_FOUND)
        decision = flag.decide(user)
        if trace is not None:
            self._explain(flag, user, trace, decision)
        return decision

    def decide_keys(self, user: User, flag_keys: Sequence[str] = (), *, enabled_only: bool = False) -> list[Decision]:
        """Decide several flags in the order asked for, one named twice once.

        None named means all, in datafile order.
        """
        flags = self.flags
        if len(flag_keys) == 1:
            flag = flags.get(flag_keys[0])
            if flag is None or flag.plainly is None or not user.is_plain:
                decisions = [self.decide(user, flag_keys[0])]
            else:
                # `flag.decide`, without the call.
                decisions = [flag.plainly(user)]
        elif not flag_keys:
            all_flags = flags.values()
            if user.is_plain:
                decisions = [(flag.plainly or flag.walk)(user) for flag in all_flags]
            else:
                decisions = [flag.walk(user) for flag in all_flags]
        else:
            decisions = [self.decide(user, key) for key in dict.fromkeys(flag_keys)]
        return [decision for decision in decisions if decision.enabled] if enabled_only else decisions

    def experiment(self, key: str) -> Placement | None:
        """The experiment of that key, else the delivery rule (K1)."""
        return self.experiments.get(key) or self.deliveries.get(key)

    def decide_experiment(self, user: User, key: str) -> Decision:
        """Decide one experiment by its own key, apart from any flag; never raises (K1 to K3).

        The decision has no flag key; its rule is the experiment. An unknown one is a decision of its own.
        """
        asked = self._asked.get(key)
        if asked is None:
            placement = self.experiment(key)
            if placement is None:
                return NOT_FOUND
            asked = self._asked[key] = CompiledExperiment(placement)
        return asked.decide(user)

    def variable(self, decision: Decision, variable_key: str) -> VariableAnswer | None:
        """One variable of a decided flag, typed (K7); None when the flag, or a valid flag, has none of that key."""
        flag = self.flags.get(decision.flag_key)
        return None if flag is None else flag.variable(decision, variable_key)

    def prebuilt(self) -> Iterator[Decision]:
        """Every decision that was made ahead, so that whoever renders decisions can do that ahead too."""
        for flag in self.flags.values():
            yield from flag.prebuilt()

    def describe(self) -> ConfigDescription:
        """Flags, rules, variables, events, attributes and audiences in words.

        Read again from the source each time.
        """
        return describe(self.source)

    def _explain(self, flag: CompiledFlag, user: User, trace: Trace, decision: Decision) -> None:
        if flag.problem:
            trace.note(StepKind.FLAG, flag.key, flag.problem, answer=False)
        else:
            observed = FlagCompiler(self.source, Warnings(), trace)
            observed.flag(flag.key).decide(user, trace)
        trace.enter()
        where = f" by rule `{decision.rule_key}`" if decision.rule_key else ""
        variation = f"variation `{decision.variation_key}`" if decision.variation_key else "no variation"
        text = f"flag `{flag.key}` gives the user {variation}{where} ({decision.reason.lower()})"
        trace.note(StepKind.OUTCOME, flag.key, text, answer=decision.enabled)


def compile_datafile(datafile: Datafile, pause: Pause = no_pause) -> CompiledDatafile:
    """Compile every flag of a parsed datafile; `pause` is called between two flags, experiments or rollouts.

    Never raises: what is broken is disabled and warned of (F4).
    """
    warnings = Warnings(datafile.warnings)
    compiler = FlagCompiler(datafile, warnings)
    flags = {}
    for key in datafile.flags:
        flags[key] = compiler.flag(key)
        pause()
    return CompiledDatafile(
        revision=datafile.revision,
        account_id=datafile.account_id,
        project_id=datafile.project_id,
        sdk_key=datafile.sdk_key,
        environment_key=datafile.environment_key,
        region=datafile.region,
        anonymize_ip=datafile.anonymize_ip,
        bot_filtering=datafile.bot_filtering,
        send_flag_decisions=datafile.send_flag_decisions,
        flags=flags,
        experiments=compiler.experiments(pause),
        deliveries=compiler.deliveries(pause),
        attribute_ids=datafile.attribute_ids,
        event_ids=datafile.event_ids,
        event_experiments=datafile.event_experiments,
        warnings=warnings.all(),
        source=datafile,
    )


def load(body: bytes, pause: Pause = no_pause) -> CompiledDatafile:
    """Parse and compile. Raises DatafileRejected as `parse` does."""
    return compile_datafile(parse(body, pause), pause)
