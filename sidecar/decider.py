"""Answers decisions: picks nothing itself, but joins the current snapshot, what is known of the user, and the outbox.

On the path of every Decide: no await, no lock, no I/O; a sticky profile alone is waited for, and before the decision.
Impressions are offered and never waited for, so that no outbox state can slow or fail a decision. Rules:
docs/semantics.md; design of the path: docs/architecture.md "A Decide".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final

from sidecar.datafiles import Snapshot
from sidecar.decision import Decision, ImpressionPart, RuleType, Trace, User
from sidecar.exposures import Exposures
from sidecar.forced import ForcedVariations
from sidecar.impressions import ChosenImpressions
from sidecar.limits import DECISION_IDS_GENERATION
from sidecar.notifications import DecisionKind, DecisionMade, Kind, Notifications
from sidecar.ports import Clock, DecisionCodec, Ids, Outbox, Record, Rendered, Routes
from sidecar.sticky import Sticky, StickyProfiles
from sidecar.telemetry import Telemetry

_DECISION: Final = Kind.DECISION
_impressions = attrgetter("impressions")
UNKNOWN_PROFILE: Final = Sticky(None)
"""What is known of a profile that was not looked up."""


class Decider:
    """Decides at one snapshot, records what was decided, and tells those who listen."""

    def __init__(  # noqa: PLR0913 - what the act stands on, each by its name
        self,
        *,
        outbox: Outbox,
        codec: DecisionCodec,
        clock: Clock,
        ids: Ids,
        impression_destinations: Mapping[str, Sequence[str]],
        telemetry: Telemetry,
        forced: ForcedVariations,
        notifications: Notifications,
        sticky: StickyProfiles | None = None,
        exposures: Exposures | None = None,
        chosen: ChosenImpressions | None = None,
    ) -> None:
        """`impression_destinations` names, for each datafile, the destinations that take its impressions.

        `chosen` says which ones of a datafile that it holds go where, instead of that. `sticky` and `exposures` are
        None where those are switched off.
        """
        self._outbox, self._codec = outbox, codec
        self._clock, self._ids = clock, ids
        self._impression_destinations = impression_destinations
        self._telemetry, self._notifications = telemetry, notifications
        self._forced, self._exposures, self._chosen = forced, exposures, chosen
        self._looks_at_each = exposures is not None or bool(chosen)
        """Whether impressions are more than bytes that all go the same way."""
        self.sticky = sticky
        self._routes: dict[tuple[str, int], Routes] = {}
        self._recent = RecentIds(DECISION_IDS_GENERATION)

    async def profile(self, snapshot: Snapshot, user_id: str) -> Sticky:
        """What is known of a user's sticky profile; bounded in time, never raises. Only when `sticky` is not None."""
        assert self.sticky is not None, "profiles are looked up only when they are on"
        return await self.sticky.lookup(snapshot.compiled.project_id, user_id)

    def known(self, snapshot: Snapshot, user: User, profile: Sticky = UNKNOWN_PROFILE) -> User:
        """The user with what is known of them here: variations set by API, and the profile that was looked up."""
        forced = self._forced.of(snapshot.name, user.user_id)
        if forced is None and not profile.variations:
            return user
        return User(
            user.user_id,
            user.attributes,
            user.qualified_segments,
            user.forced_decisions,
            forced,
            profile.variations,
        )

    def decide(self, snapshot: Snapshot, user: User, flag_keys: Sequence[str]) -> Sequence[Decision]:
        """The decisions of one user, in the order of `flag_keys` (a repeated key once), or of the datafile for none."""
        decisions = snapshot.compiled.decide_keys(user, flag_keys)
        self._telemetry.decisions += len(decisions)
        return decisions

    def answer(
        self, snapshot: Snapshot, user: User, flag_keys: Sequence[str], call: bytes, decision_id: str
    ) -> tuple[Sequence[Rendered], str]:
        """`known`, `decide` and `record` in one step, for a `Decide` without options, where no profiles are kept.

        The hot path: most calls are such. Returns the decisions as they are rendered, and the decision id.
        """
        if self._forced.by_user:
            user = self.known(snapshot, user)
        decisions, rendered_of = snapshot.compiled.decide_keys(user, flag_keys), snapshot.rendered
        self._telemetry.decisions += len(decisions)
        rendered = list(map(rendered_of.__getitem__, decisions))
        if self._looks_at_each or self._notifications.wants(_DECISION, snapshot.name):
            return rendered, self.record(snapshot, user, decisions, call, decision_id)
        if not decision_id:
            decision_id = self._ids.new()
        elif self._recent.seen(decision_id):
            self._telemetry.impressions_repeated += 1
            return rendered, decision_id
        if len(rendered) == 1:
            impressions: Sequence[bytes] = rendered[0].impressions
        else:
            impressions = list(chain.from_iterable(map(_impressions, rendered)))
        if impressions:
            self._offer(snapshot, call, decision_id, impressions)
        return rendered, decision_id

    def explain(self, snapshot: Snapshot, user: User, decision: Decision) -> Sequence[str]:
        """How a decision came about, in English, by deciding the flag again while watching."""
        trace = Trace()
        snapshot.compiled.decide(user, decision.flag_key, trace)
        return trace.reasons()

    def record(
        self,
        snapshot: Snapshot,
        user: User,
        decisions: Sequence[Decision],
        call: bytes,
        decision_id: str,
        *,
        form: str = "decide",
        kind: DecisionKind = DecisionKind.FLAG,
        impressions: bool = True,
        holdouts: bool = True,
    ) -> str:
        """Offer the impressions of decisions to the outbox, unless the caller wants none, and tell those who listen.

        `call` is the request as received, `form` its field in a stored call. Without `holdouts` theirs are not made
        (K4), and with a decision id that was seen lately none. Returns that id, made here when it is empty.
        """
        repeated = False
        if not decision_id:
            decision_id = self._ids.new()
        elif impressions:
            repeated = self._recent.seen(decision_id)
        offered = False
        if repeated:
            self._telemetry.impressions_repeated += 1
        elif impressions:
            offered = self._impress(snapshot, user, decisions, call, decision_id, form, holdouts=holdouts)
        if self._notifications.wants(_DECISION, snapshot.name):
            made = {one for one in decisions if offered and _made(one, holdouts=holdouts)}
            self.tell(snapshot, user, decisions, kind, decision_id=decision_id, offered=made)
        return decision_id

    def tell(
        self,
        snapshot: Snapshot,
        user: User,
        decisions: Iterable[Decision],
        kind: DecisionKind,
        *,
        decision_id: str = "",
        offered: Collection[Decision] = (),
        variable_key: str = "",
    ) -> None:
        """Tell those who listen of decisions; `offered` are those whose impressions the outbox took."""
        if not self._notifications.wants(_DECISION, snapshot.name):
            return
        for decision in decisions:
            self._notifications.publish(
                DecisionMade(
                    user_id=user.user_id,
                    kind=kind,
                    decision=decision,
                    revision=snapshot.revision,
                    datafile=snapshot.name,
                    attributes=user.attributes,
                    decision_id=decision_id,
                    impression_offered=decision in offered,
                    variable_key=variable_key,
                )
            )

    def save_profile(self, snapshot: Snapshot, user: User, decisions: Sequence[Decision], profile: Sticky) -> None:
        """Have what traffic chose saved to the user's profile, where that differs from it; never waits.

        Nothing is saved when the profile could not be read: the store may hold another variation.
        """
        if self.sticky is None or profile.problem or profile.variations is None:
            return
        stored = profile.variations
        changed = {
            decision.experiment_id: decision.variation_id
            for decision in decisions
            if decision.saves_profile and stored.get(decision.experiment_id) != decision.variation_id
        }
        if changed:
            self.sticky.save_later(snapshot.compiled.project_id, user.user_id, changed)

    def _impress(  # noqa: PLR0917 - as `record`
        self,
        snapshot: Snapshot,
        user: User,
        decisions: Sequence[Decision],
        call: bytes,
        decision_id: str,
        form: str,
        *,
        holdouts: bool,
    ) -> bool:
        """Whether decisions made impressions that the outbox took."""
        rendered = snapshot.rendered
        parts: Sequence[bytes] = (
            [part for decision in decisions for part in rendered[decision].impressions]
            if holdouts
            else _without_holdouts(rendered, decisions)
        )
        if not parts:
            return False
        if self._chosen is not None and snapshot.name in self._chosen:
            shown = [part for one in decisions for part in one.impressions if holdouts or not _of_holdout(part)]
            offered = self._offer_chosen(snapshot, user, call, decision_id, form, parts, shown)
        else:
            offered = self._offer(snapshot, call, decision_id, parts, form)
        if offered and self._exposures is not None:
            _remember(self._exposures, user, decisions)
        return offered

    def _offer(
        self, snapshot: Snapshot, call: bytes, decision_id: str, impressions: Sequence[bytes], form: str = "decide"
    ) -> bool:
        """Whether somebody takes the impressions and the outbox has room for them."""
        count, datafile = len(impressions), snapshot.name
        routes = self._routes.get((datafile, count)) or self._routes_of(datafile, count)
        if not routes:
            return False
        now_ms = self._clock.now_ms()
        body = self._codec.record(call, decision_id, now_ms, datafile, impressions, form)
        taken = self._outbox.offer(Record(body, snapshot.facts, routes, count, now_ms, (), (), True))  # noqa: FBT003 - keywords cost
        if taken:
            self._telemetry.impressions_offered += count
        else:
            self._telemetry.impressions_refused += count
        return taken

    def _offer_chosen(  # noqa: PLR0917 - as `_offer`, and whom the impressions are of
        self,
        snapshot: Snapshot,
        user: User,
        call: bytes,
        decision_id: str,
        form: str,
        impressions: Sequence[bytes],
        shown: Sequence[ImpressionPart],
    ) -> bool:
        """The same where a destination takes only some: `shown` are the impressions, in the order of their bytes."""
        assert self._chosen is not None, "asked by the caller"
        now_ms, count = self._clock.now_ms(), len(impressions)
        choice = self._chosen.choice(snapshot, user, decision_id, shown, now_ms)
        if not choice.routes:
            return False
        body = self._codec.record(call, decision_id, now_ms, snapshot.name, impressions, form)
        taken = self._outbox.offer(Record(body, snapshot.facts, choice.routes, count, now_ms, joins=True))
        if taken:
            choice.remember(user.user_id)
            self._telemetry.impressions_offered += count
        else:
            self._telemetry.impressions_refused += count
        return taken

    def _routes_of(self, datafile: str, event_count: int) -> Routes:
        all_events = (1 << event_count) - 1
        names = self._impression_destinations.get(datafile, ())
        # Bounded: the datafiles of the config times the flags of one call.
        routes = self._routes[datafile, event_count] = tuple((name, all_events) for name in names)
        return routes


def _without_holdouts(rendered: Mapping[Decision, Rendered], decisions: Iterable[Decision]) -> Sequence[bytes]:
    """The impressions of decisions but for those of holdouts (K4)."""
    return [
        part
        for decision in decisions
        for part, made in zip(rendered[decision].impressions, decision.impressions, strict=True)
        if not _of_holdout(made)
    ]


def _of_holdout(part: ImpressionPart) -> bool:
    return part.rule_type is RuleType.HOLDOUT


def _made(decision: Decision, *, holdouts: bool) -> bool:
    """Whether a decision makes an impression; without `holdouts`, one that is no holdout's (K4)."""
    parts = decision.impressions
    return bool(parts) if holdouts else any(not _of_holdout(part) for part in parts)


def _remember(exposures: Exposures, user: User, decisions: Sequence[Decision]) -> None:
    """Remember the experiments that a user was exposed to; deliveries and holdouts measure nothing."""
    for decision in decisions:
        for part in decision.impressions:
            if part.experiment_id and part.rule_type in _EXPERIMENTS:
                exposures.record(user.user_id, part.experiment_id)


_EXPERIMENTS: Final = (RuleType.FEATURE_TEST, RuleType.EXPERIMENT)


class RecentIds:
    """Remembers the last ids it saw: at least `generation` of them, at most twice as many.

    Why two sets: forgetting the oldest half at once costs nothing a call, where an ordered structure costs each call.
    """

    __slots__ = ("_generation", "_newer", "_older")

    def __init__(self, generation: int) -> None:
        self._generation = generation
        self._newer: set[str] = set()
        self._older: set[str] = set()

    def seen(self, id_: str) -> bool:
        """Whether the id is remembered; it is from now on."""
        if id_ in self._newer or id_ in self._older:
            return True
        self._newer.add(id_)
        if len(self._newer) >= self._generation:
            self._older, self._newer = self._newer, set()
        return False
