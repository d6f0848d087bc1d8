"""Answers decisions: picks nothing itself, but joins the current snapshot, the engine and the outbox.

On the path of every Decide: no await, no lock, no I/O. Impressions are offered and never waited for, so that no outbox
state can slow or fail a decision. Rules: docs/semantics.md; design of the path: docs/architecture.md "A Decide".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sidecar.datafiles import Snapshot
from sidecar.decision import Decision, Trace, User
from sidecar.limits import DECISION_IDS_GENERATION
from sidecar.ports import Clock, DecisionCodec, Ids, Outbox, Record, Routes
from sidecar.telemetry import Telemetry


class Decider:
    """Decides at one snapshot and records what was decided."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        codec: DecisionCodec,
        clock: Clock,
        ids: Ids,
        impression_destinations: Mapping[str, Sequence[str]],
        telemetry: Telemetry,
    ) -> None:
        """`impression_destinations` names, for each datafile, the destinations that take its impressions."""
        self._outbox, self._codec = outbox, codec
        self._clock, self._ids = clock, ids
        self._impression_destinations = impression_destinations
        self._telemetry = telemetry
        self._routes: dict[tuple[str, int], Routes] = {}
        self._recent = RecentIds(DECISION_IDS_GENERATION)

    def decide(self, snapshot: Snapshot, user: User, flag_keys: Sequence[str]) -> Sequence[Decision]:
        """The decisions of one user, in the order of `flag_keys` (a repeated key once), or of the datafile for none."""
        decisions = snapshot.compiled.decide_keys(user, flag_keys)
        self._telemetry.decisions += len(decisions)
        return decisions

    def explain(self, snapshot: Snapshot, user: User, decision: Decision) -> Sequence[str]:
        """How a decision came about, in English, by deciding the flag again while watching."""
        trace = Trace()
        snapshot.compiled.decide(user, decision.flag_key, trace)
        return trace.reasons()

    def record(self, snapshot: Snapshot, decisions: Sequence[Decision], call: bytes, decision_id: str) -> str:
        """Offer the impressions of decisions to the outbox; returns the decision id, made here when it is empty.

        `call` is the request as received. A decision id that was seen lately makes no second impression.
        """
        if not decision_id:
            decision_id = self._ids.new()
        elif self._recent.seen(decision_id):
            self._telemetry.impressions_repeated += 1
            return decision_id
        rendered = snapshot.rendered
        impressions = [part for decision in decisions for part in rendered[decision].impressions]
        if not impressions:
            return decision_id
        routes = self._routes_of(snapshot.name, len(impressions))
        if not routes:
            return decision_id
        now_ms = self._clock.now_ms()
        body = self._codec.record(call, decision_id, now_ms, snapshot.name, impressions)
        taken = self._outbox.offer(Record(body, snapshot.facts, routes, len(impressions), now_ms))
        if taken:
            self._telemetry.impressions_offered += len(impressions)
        else:
            self._telemetry.impressions_refused += len(impressions)
        return decision_id

    def new_id(self, decision_id: str) -> str:
        """The decision id of a call that records nothing."""
        return decision_id or self._ids.new()

    def _routes_of(self, datafile: str, event_count: int) -> Routes:
        routes = self._routes.get((datafile, event_count))
        if routes is None:
            all_events = (1 << event_count) - 1
            names = self._impression_destinations.get(datafile, ())
            # Bounded: the datafiles of the config times the flags of one call.
            routes = self._routes[datafile, event_count] = tuple((name, all_events) for name in names)
        return routes


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
