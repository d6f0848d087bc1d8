"""`/metrics`: the acts' counters in Prometheus' text form, read at scrape and kept nowhere.

Names: `sidecar_` + what is counted + the unit; the words of the glossary (docs/architecture.md). A registry of its own,
so that two daemons in one process would not mix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from sidecar import __version__
from sidecar.datafiles import Datafiles
from sidecar.delivery import Delivery
from sidecar.exposures import Exposures
from sidecar.notifications import Notifications
from sidecar.ports import Clock, DestinationCounts, Outbox
from sidecar.telemetry import OutboxFacts, Telemetry

Labels = Sequence[str]
Sample = tuple[Labels, float]

_NO_LABELS: Final[Labels] = ()


class Metrics:
    """Everything that the daemon counts."""

    def __init__(
        self,
        *,
        transport: str,
        telemetry: Telemetry,
        outbox: Outbox,
        outbox_facts: OutboxFacts,
        delivery: Delivery,
        datafiles: Datafiles,
        clock: Clock,
        notifications: Notifications,
        exposures: Exposures | None = None,
        more: Callable[[], Iterable[Metric]] = tuple,
    ) -> None:
        """`more` gives families that are made elsewhere."""
        self._transport, self._telemetry = transport, telemetry
        self._outbox, self._outbox_facts = outbox, outbox_facts
        self._delivery, self._datafiles, self._clock = delivery, datafiles, clock
        self._notifications, self._exposures = notifications, exposures
        self._more = more
        self._counts: Sequence[DestinationCounts] = ()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Collector(self))

    async def render(self) -> bytes:
        """The exposition text. The outbox's counts are of one transaction, so that they add up."""
        self._counts = await self._outbox.counts()
        return generate_latest(self._registry)

    def families(self) -> Iterator[Metric]:
        """Every metric of ours."""
        yield from self._calls()
        yield from self._events()
        yield from self._queues()
        yield from self._deliveries()
        yield from self._datafile_metrics()
        yield from self._notification_metrics()
        yield from self._exposure_metrics()
        yield from self._more()

    def _calls(self) -> Iterator[Metric]:
        telemetry = self._telemetry
        yield gauge("info", "What runs.", ("version", "transport"), [((__version__, self._transport), 1)])
        calls = [((method.lstrip("/"),), count) for method, count in telemetry.calls.items()]
        yield counter("calls", "Calls by method.", ("method",), calls)
        refused = [((method.lstrip("/"), code), count) for (method, code), count in telemetry.refusals.items()]
        yield counter("call_errors", "Calls that were answered with an error.", ("method", "code"), refused)
        yield counter("decisions", "Flags decided.", (), [(_NO_LABELS, telemetry.decisions)])

    def _events(self) -> Iterator[Metric]:
        telemetry = self._telemetry
        made = [
            (("offered",), telemetry.impressions_offered),
            (("refused",), telemetry.impressions_refused),
            (("repeated",), telemetry.impressions_repeated),
        ]
        yield counter("impressions", "Impressions by what became of them at the decision.", ("fate",), made)
        outcomes = list(telemetry.events.items())
        labels = ("destination", "state", "reason")
        yield counter("event_outcomes", "What accepted calls meant for each destination.", labels, outcomes)
        repeated = [(_NO_LABELS, telemetry.events_repeated)]
        yield counter("events_repeated", "Events whose id was remembered, not queued again.", (), repeated)

    def _queues(self) -> Iterator[Metric]:
        counts, now_ms = self._counts, self._clock.now_ms()
        by = ("destination",)
        for name, what in (("accepted", "Events queued"), ("delivered", "Events delivered")):
            values = [((one.destination,), getattr(one, name)) for one in counts]
            yield counter(f"outbox_{name}", f"{what} since the outbox was made.", by, values)
        for name, what in (
            ("pending", "Events that wait for delivery."),
            ("pending_bytes", "Their stored size."),
            ("dead", "Dead letters."),
            ("dead_bytes", "Their stored size."),
        ):
            yield gauge(f"outbox_{name}", what, by, [((one.destination,), getattr(one, name)) for one in counts])
        dropped = [((one.destination, reason), events) for one in counts for reason, events in one.dropped.items()]
        yield counter("outbox_dropped", "Events given up for good.", ("destination", "reason"), dropped)
        ages = [
            (
                (one.destination,),
                max(0, now_ms - one.oldest_pending_ms) / 1000 if one.oldest_pending_ms else 0,
            )
            for one in counts
        ]
        yield gauge("outbox_oldest_pending_age_seconds", "Age of the oldest pending event.", by, ages)
        facts = self._outbox_facts
        yield gauge("outbox_writable", "1 unless the last commit failed.", (), [(_NO_LABELS, facts.writable)])
        yield counter("outbox_commits", "Transactions committed.", (), [(_NO_LABELS, facts.commits)])
        yield counter("outbox_commit_seconds", "Time in them.", (), [(_NO_LABELS, facts.commit_seconds)])
        yield counter("outbox_salvages", "Damaged files replaced.", (), [(_NO_LABELS, facts.salvages)])
        refused = [((reason,), records) for reason, records in facts.offered_refused.items()]
        yield counter("outbox_offers_refused", "Decide calls whose impressions had no place.", ("reason",), refused)

    def _deliveries(self) -> Iterator[Metric]:
        statuses = self._delivery.statuses.values()
        by = ("destination",)
        for name, what in (
            ("attempts", "Batches sent, each try counted."),
            ("retries", "Tries that failed and will be repeated."),
            ("bytes_delivered", "Bytes of delivered batches."),
        ):
            values = [((one.destination,), getattr(one, name)) for one in statuses]
            yield counter(f"delivery_{name}", what, by, values)
        latency = [((one.destination,), one.latency_s_sum) for one in statuses]
        yield counter("delivery_seconds", "Time spent waiting for answers.", by, latency)
        paused = [((one.destination,), one.paused) for one in statuses]
        yield gauge("delivery_paused", "1 while a destination is paused: see the log.", by, paused)
        failures = [((one.destination,), one.failures) for one in statuses]
        yield gauge("delivery_failures_in_a_row", "0 = the last try was answered for good.", by, failures)

    def _datafile_metrics(self) -> Iterator[Metric]:
        names = self._datafiles.names
        statuses = [self._datafiles.status(name) for name in names]
        revisions = [((one.name, one.revision), 1) for one in statuses if one.revision]
        yield gauge("datafile_info", "The revision in force.", ("datafile", "revision"), revisions)
        by = ("datafile",)
        stale = [((one.name,), one.stale) for one in statuses]
        yield gauge("datafile_stale", "1 while the source fails or holds a bad body.", by, stale)
        loaded = [((one.name,), one.loaded_ms / 1000) for one in statuses]
        yield gauge("datafile_loaded_timestamp_seconds", "When the revision in force was loaded.", by, loaded)
        warnings = [((one.name,), len(one.warnings)) for one in statuses]
        yield gauge("datafile_warnings", "Warnings of the revision in force.", by, warnings)
        checks = [
            ((name, result), getattr(self._datafiles.stats(name), result))
            for name in names
            for result in ("applied", "unchanged", "rejected", "unavailable")
        ]
        yield counter("datafile_checks", "Looks at the source.", ("datafile", "result"), checks)
        took = [((name,), self._datafiles.stats(name).took_s) for name in names]
        yield gauge("datafile_apply_seconds", "How long the last application took.", by, took)
        failed = [((name,), self._datafiles.stats(name).copies_failed) for name in names]
        yield counter("datafile_copies_failed", "Last good copies that could not be written.", by, failed)

    def _notification_metrics(self) -> Iterator[Metric]:
        told = self._notifications
        yield gauge("notification_readers", "Readers of notifications now.", (), [(_NO_LABELS, told.readers)])
        lost = [(_NO_LABELS, told.lost)]
        yield counter("notifications_lost", "Notifications that slow readers lost.", (), lost)

    def _exposure_metrics(self) -> Iterator[Metric]:
        """Nothing at all when exposures are not remembered: a zero would say that conversions are lost."""
        exposures = self._exposures
        if exposures is None:
            return
        recorded = [(_NO_LABELS, exposures.recorded)]
        yield counter("exposures_recorded", "Impressions of experiments remembered.", (), recorded)
        crowded = [(_NO_LABELS, exposures.crowded_out)]
        yield counter("exposures_crowded_out", "Exposures forgotten early for want of room.", (), crowded)
        conversions = self._telemetry.conversions
        by = [(("seen",), conversions[True]), (("not_seen",), conversions[False])]
        what = "Tracks that measure an experiment, by whether this process remembers an exposure."
        yield counter("conversions", what, ("exposure",), by)


def counter(name: str, what: str, labels: Labels, samples: Iterable[Sample]) -> Metric:
    """A counter of ours; `_total` is put behind its name."""
    family = CounterMetricFamily(f"sidecar_{name}", what, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def gauge(name: str, what: str, labels: Labels, samples: Iterable[Sample]) -> Metric:
    """A gauge of ours."""
    family = GaugeMetricFamily(f"sidecar_{name}", what, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


class _Collector:
    """What the registry asks at scrape."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics.families()
