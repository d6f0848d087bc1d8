"""Chooses which impressions of a decision go to destinations that do not take them all: a sample, `Experiment Viewed`.

On the path of a Decide, but only of datafiles that have such a destination: the others' routes are known before the
call. A view that was sent within a destination's window is not sent again; what is remembered of it are fingerprints,
see `sidecar.exposures`. Rules: docs/events.md "Experiment Viewed", docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sidecar.datafiles import Snapshot
from sidecar.decision import ImpressionPart, User
from sidecar.events.identity import NAMESPACE
from sidecar.events.model import EventKind, Impression, Origin
from sidecar.exposures import Exposures
from sidecar.ports import Destination, Routes
from sidecar.telemetry import Telemetry
from sidecar.values import OutcomeState

SEEN: Final = "SEEN"
"""Why an impression is skipped that a destination got within its window."""

_ANY_ID: Final = NAMESPACE
"""As long as every impression's id, which is a UUID."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets which impressions of one call; `views` are the ones to remember once the outbox took them."""

    routes: Routes
    views: Sequence[tuple[Exposures, str]] = field(default_factory=tuple)

    def remember(self, user_id: str) -> None:
        """Note the views, so that the next ones within the window are not sent."""
        for window, view in self.views:
            window.record(user_id, view)


class ChosenImpressions:
    """The destinations that choose, and those beside them that take every impression."""

    def __init__(
        self,
        destinations: Mapping[str, Sequence[Destination]],
        windows: Mapping[str, Exposures],
        telemetry: Telemetry,
    ) -> None:
        """`destinations` are those of each datafile, in the order of the config; `windows` by destination name."""
        self._takers = {
            datafile: tuple(one for one in some if one.takes(EventKind.IMPRESSION))
            for datafile, some in destinations.items()
            if any(one.takes(EventKind.IMPRESSION) and one.chooses_impressions for one in some)
        }
        self._windows, self._telemetry = windows, telemetry

    def __bool__(self) -> bool:
        """Whether any datafile has impressions that must be chosen."""
        return bool(self._takers)

    def __contains__(self, datafile: str) -> bool:
        """Whether impressions of a datafile must be chosen; the routes of the others are always the same."""
        return datafile in self._takers

    def choice(
        self, snapshot: Snapshot, user: User, decision_id: str, parts: Sequence[ImpressionPart], now_ms: int
    ) -> Choice:
        """Who gets these impressions, by their place in `parts`. Counts what is skipped; remembers nothing."""
        routes: list[tuple[str, int]] = []
        views: list[tuple[Exposures, str]] = []
        impressions: list[Impression] = []
        for destination in self._takers[snapshot.name]:
            if not destination.chooses_impressions:
                routes.append((destination.name, (1 << len(parts)) - 1))
                continue
            impressions = impressions or judged(snapshot.name, user, decision_id, parts, now_ms)
            mask = self._mask(destination, snapshot, impressions, views)
            if mask:
                routes.append((destination.name, mask))
        return Choice(tuple(routes), views)

    def _mask(
        self,
        destination: Destination,
        snapshot: Snapshot,
        impressions: Sequence[Impression],
        views: list[tuple[Exposures, str]],
    ) -> int:
        """The impressions that one destination gets, as bits; the views among them are added to `views`."""
        mask, window, new = 0, self._windows.get(destination.name), dict[str, None]()
        for at, shown in enumerate(impressions):
            outcome = destination.route(shown, snapshot.project)
            reason = "" if outcome.state is OutcomeState.QUEUED else outcome.reason
            if not reason and window is not None:
                view = view_of(shown)
                if view in new or window.seen(shown.origin.user_id, (view,)):
                    reason = SEEN
                else:
                    new[view] = None
            if reason:
                self._telemetry.events[destination.name, OutcomeState.SKIPPED.value, reason] += 1
            else:
                mask |= 1 << at
        if window is not None:
            views.extend((window, view) for view in new)
        return mask


def view_of(shown: Impression) -> str:
    """What makes two impressions of a user one view: experiment and variation, else, for want of ids, their keys."""
    return f"{shown.experiment_id or shown.flag_key}/{shown.variation_id or shown.variation_key}"


def judged(
    datafile: str, user: User, decision_id: str, parts: Sequence[ImpressionPart], now_ms: int
) -> list[Impression]:
    """The impressions of one call as they will be read from the outbox, but for their ids, which are only as long.

    Why not their ids: a destination looks at none, and to derive one takes as long as all the rest.
    """
    origin = Origin(event_id=_ANY_ID, time_ms=now_ms, received_ms=now_ms, user_id=user.user_id, datafile=datafile)
    return [
        Impression(
            origin=origin,
            decision_id=decision_id,
            flag_key=part.flag_key,
            rule_key=part.rule_key,
            rule_type=part.rule_type.value,
            variation_key=part.variation_key,
            enabled=part.enabled,
            campaign_id=part.campaign_id,
            experiment_id=part.experiment_id,
            experiment_key=part.experiment_key or part.rule_key,
            variation_id=part.variation_id,
            attributes=user.attributes,
        )
        for part in parts
    ]
