"""Metrics of the state that decisions read: sticky profiles and forced variations."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from sidecar.forced import ForcedVariations
from sidecar.http.metrics import counter, gauge
from sidecar.sticky import StickyProfiles


def profile_metrics(sticky: StickyProfiles | None, forced: ForcedVariations, evicted: int) -> Iterator[Metric]:
    """Every metric of them; those of profiles only when profiles are on. `evicted`: entries forgotten for the bound."""
    yield gauge("forced_variations", "Variations set by API now.", (), [((), len(forced))])
    yield counter("forced_variations_evicted", "Set by API and forgotten for the bound.", (), [((), forced.evicted)])
    failures = [((), forced.store_failures)]
    yield counter("forced_variations_store_failures", "Writes of them that failed.", (), failures)
    if sticky is None:
        return
    stats = sticky.stats
    yield counter("profile_lookups", "Sticky profiles that decisions asked for.", (), [((), stats.lookups)])
    yield counter("profile_lookups_shared", "Of them, joined one of the same user.", (), [((), stats.shared)])
    without = [(("slow",), stats.slow), (("failed",), stats.failed), (("not_asked",), stats.not_asked)]
    yield counter("profile_lookups_unanswered", "Of them, went on without a profile.", ("why",), without)
    yield gauge("profile_store_left_alone", "1 while the store is asked now and then only.", (), [((), sticky.resting)])
    fates = [(("written",), stats.saves), (("failed",), stats.saves_failed), (("dropped",), stats.saves_dropped)]
    yield counter("profile_saves", "Changed profiles by fate; a failed write is tried again.", ("fate",), fates)
    yield gauge("profile_saves_waiting", "Changed profiles not written yet.", (), [((), sticky.waiting_saves)])
    yield counter("profiles_evicted", "Profiles or entries forgotten for the bound.", (), [((), evicted)])
