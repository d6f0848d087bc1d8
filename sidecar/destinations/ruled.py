"""A destination behind its rules: it sees the events that pass them, in the shape that they give, and knows of none.

Which events go there is decided when they are accepted; the shape is made whenever one is rendered, under the rules in
force then. Rules: docs/rules.md; why so: docs/decisions/0014-destination-rules.md.
"""

from __future__ import annotations

from collections.abc import Hashable

from sidecar.destinations import outcomes
from sidecar.events.model import Event, EventKind, Impression, ProjectFacts, Track, kind_of
from sidecar.events.rules import Rules, has_user
from sidecar.ports import Answer, Batch, BatchLimits, Destination, EventSort
from sidecar.values import OutcomeState


class RuledDestination:
    """Any destination, and the rules before it."""

    def __init__(self, inner: Destination, rules: Rules) -> None:
        self._inner, self._rules = inner, rules

    @property
    def name(self) -> str:
        """The name of the destination behind."""
        return self._inner.name

    @property
    def limits(self) -> BatchLimits:
        """Those of the destination behind; an event counts in the shape that it is sent in."""
        return self._inner.limits

    def takes(self, kind: EventKind) -> bool:
        """Whether the kind passes and the destination behind takes it."""
        return kind in self._rules.kinds and self._inner.takes(kind)

    @property
    def chooses_impressions(self) -> bool:
        """When the destination behind does, or a sample or a dropped id can skip one."""
        return self._inner.chooses_impressions or self._rules.read_values

    def check(self, event: Event, facts: ProjectFacts | None) -> outcomes.Violations:
        """What the destination behind refuses of the event in its new shape: what is dropped refuses nothing."""
        return self._inner.check(self._rules.reshaped(event), facts)

    def route(self, event: Event, facts: ProjectFacts | None) -> outcomes.Outcome:
        """What the destination behind says of the event in its new shape, unless a rule skips it.

        Why the sample last: that an event key is unknown, say, must not be told to some users' callers alone. Nobody is
        told of an impression, so there the cheaper question comes first.
        """
        if isinstance(event, Impression) and not self._rules.sample(event):
            return outcomes.skipped(self.name, outcomes.SAMPLED_OUT)
        if not self._rules.want(kind_of(event), event.event_key if isinstance(event, Track) else ""):
            return outcomes.skipped(self.name, outcomes.FILTERED)
        reshaped = self._rules.reshaped(event)
        if not has_user(reshaped):
            return outcomes.skipped(self.name, outcomes.NO_USER)
        outcome = self._inner.route(reshaped, facts)
        if outcome.state is OutcomeState.QUEUED and not self._rules.sample(event):
            return outcomes.skipped(self.name, outcomes.SAMPLED_OUT)
        return outcome

    def route_alike(self, sort: EventSort, facts: ProjectFacts | None) -> outcomes.Outcome | None:
        """What the filters or the destination behind say of the sort, when no rule reads what an event holds."""
        if not self._rules.want(sort.kind, sort.event_key):
            return outcomes.skipped(self.name, outcomes.FILTERED)
        return None if self._rules.read_values else self._inner.route_alike(sort, facts)

    def batch_key(self, facts: ProjectFacts | None) -> Hashable:
        """That of the destination behind."""
        return self._inner.batch_key(facts)

    def envelope_bytes(self, facts: ProjectFacts | None) -> int:
        """That of the destination behind."""
        return self._inner.envelope_bytes(facts)

    def render(self, event: Event, facts: ProjectFacts | None) -> bytes:
        """The event in its new shape. Raises `ValueError` as the destination behind does, and when nobody is left."""
        reshaped = self._rules.reshaped(event)
        if not has_user(reshaped):
            raise ValueError("event has no id left after the rules of its destination, wanted user_id or anonymous_id")
        return self._inner.render(reshaped, facts)

    async def send(self, batch: Batch) -> Answer:
        """As the destination behind does."""
        return await self._inner.send(batch)

    async def close(self) -> None:
        """Close the destination behind. Idempotent."""
        await self._inner.close()
