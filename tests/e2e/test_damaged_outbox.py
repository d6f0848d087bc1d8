"""A daemon whose outbox was damaged while it was stopped: it serves, delivers what could be read, counts the rest."""

from __future__ import annotations

from pathlib import Path

from sidecar.outbox import FILE_NAME
from sidecar.pb import tracking_pb2
from tests.support.conservation import conserved
from tests.support.daemon import Daemon

TRACK = "/sidecar.v1.TrackingService/Track"
PAGE_BYTES = 4096
EVENTS = 300


def track(daemon: Daemon, event_id: str) -> None:
    request = tracking_pb2.TrackRequest(user_id="u" * 200, event_key="bought", event_id=event_id)
    daemon.call(TRACK, request, tracking_pb2.TrackResponse)


def test_it_serves_and_every_event_is_accounted_for(tmp_path: Path) -> None:
    hook = {"name": "hook", "type": "webhook", "endpoint": "http://127.0.0.1:9/"}
    with Daemon(tmp_path, {"destinations": [hook], "drain": 0}) as daemon:
        daemon.start()
        for number in range(EVENTS):
            track(daemon, str(number))
        assert daemon.stop() == 0
        path = daemon.data_dir / FILE_NAME
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // PAGE_BYTES // 2 * PAGE_BYTES)
            file.write(b"\x00" * 2 * PAGE_BYTES)

        daemon.start()

        (salvaged,) = daemon.logged("outbox_salvaged")
        assert daemon.logged("outbox_set_aside")
        counts = conserved(daemon)["hook"]
        assert counts.accepted == EVENTS
        assert counts.pending + salvaged["lost"] == EVENTS
        assert counts.dropped.get("DAMAGED", 0) == salvaged["lost"] < EVENTS / 2
        track(daemon, "after")
        assert conserved(daemon)["hook"].accepted == EVENTS + 1
        assert daemon.stop() == 0
