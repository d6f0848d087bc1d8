"""`/livez`, `/readyz` and `/metrics` of a real daemon, as a probe and a scraper see them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from sidecar import __version__
from sidecar.pb import decision_pb2, tracking_pb2
from tests.decision.building import document
from tests.support.daemon import Daemon
from tests.support.served import BOTH, DECIDE, SHOP, TRACK, decide_request, track_request


def get(daemon: Daemon, path: str) -> tuple[int, str, str]:
    """Status, text and content type."""
    try:
        with urllib.request.urlopen(f"http://{daemon.http}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["Content-Type"]


def metrics(daemon: Daemon) -> dict[str, Metric]:
    status, text, kind = get(daemon, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {family.name: family for family in text_string_to_metric_families(text)}


def sample(families: dict[str, Metric], name: str, **labels: str) -> float:
    for family in families.values():
        for one in family.samples:
            if one.name == name and labels.items() <= one.labels.items():
                return one.value
    raise AssertionError(f"no sample {name} {labels}")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    configuration = {"datafile": str(SHOP), "destinations": [dict(one) for one in BOTH], "drain": 0}
    with Daemon(tmp_path_factory.mktemp("daemon"), configuration) as one:
        yield one.start()


def test_live_and_ready(daemon: Daemon) -> None:
    assert get(daemon, "/livez")[:2] == (200, "live\n")
    assert get(daemon, "/readyz")[:2] == (200, "ready\n")


@pytest.mark.parametrize("path", ["/", "/nope", "/metrics/x", "/livez/"])
def test_other_paths_are_not_found(daemon: Daemon, path: str) -> None:
    assert get(daemon, path)[0] == 404


def test_metrics_count_what_happened(daemon: Daemon) -> None:
    before = metrics(daemon)
    daemon.call(DECIDE, decide_request(decision_id="d-1"), decision_pb2.DecideResponse)
    daemon.call(DECIDE, decide_request(decision_id="d-1"), decision_pb2.DecideResponse)
    for _ in range(2):
        daemon.call(TRACK, track_request(event_id="e-1"), tracking_pb2.TrackResponse)
    after = metrics(daemon)

    def grown(name: str, **labels: str) -> float:
        try:
            start = sample(before, name, **labels)
        except AssertionError:
            start = 0
        return sample(after, name, **labels) - start

    assert grown("sidecar_calls_total", method="sidecar.v1.DecisionService/Decide") == 2
    assert grown("sidecar_decisions_total") == 10
    offered = grown("sidecar_impressions_total", fate="offered")
    assert offered > 0
    assert grown("sidecar_impressions_total", fate="repeated") == 1
    assert grown("sidecar_events_repeated_total") == 1
    for destination in ("optimizely", "hook"):
        assert grown("sidecar_event_outcomes_total", destination=destination, state="QUEUED") == 1
        assert grown("sidecar_outbox_accepted_total", destination=destination) == offered + 1
    assert sample(after, "sidecar_info", version=__version__, transport=daemon.logged("listening")[0]["transport"]) == 1
    assert sample(after, "sidecar_datafile_info", datafile="default", revision="41") == 1
    assert sample(after, "sidecar_outbox_writable") == 1
    assert sample(after, "process_resident_memory_bytes") > 0


def test_counts_of_a_destination_add_up(daemon: Daemon) -> None:
    families = metrics(daemon)
    for name in ("optimizely", "hook"):
        accepted = sample(families, "sidecar_outbox_accepted_total", destination=name)
        rest = ("sidecar_outbox_delivered_total", "sidecar_outbox_pending", "sidecar_outbox_dead")
        assert accepted == sum(sample(families, each, destination=name) for each in rest)


def test_every_metric_of_ours_says_what_it_is(daemon: Daemon) -> None:
    for family in metrics(daemon).values():
        assert family.documentation, family.name
        assert family.name.startswith(("sidecar_", "process_"))


def test_not_ready_until_the_datafile_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "late.json"
    with Daemon(tmp_path / "d", {"datafile": str(path), "destinations": [dict(BOTH[1])], "drain": 0}) as daemon:
        daemon.start(serving=False)
        status, text, _ = get(daemon, "/readyz")
        assert (status, text.startswith("not ready: the default datafile is not loaded")) == (503, True)
        assert get(daemon, "/livez")[0] == 200
        path.write_text(json.dumps(document()))
        daemon.wait_for_health("SERVING")
        assert get(daemon, "/readyz")[0] == 200


def test_without_the_face_nothing_listens(tmp_path: Path) -> None:
    configuration = {"datafile": str(SHOP), "http_listen": "off", "destinations": [dict(BOTH[1])], "drain": 0}
    with Daemon(tmp_path, configuration) as daemon:
        daemon.start()
        assert daemon.http == ""
        assert daemon.stop() == 0
