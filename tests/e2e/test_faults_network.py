"""What the way to a destination does, against the whole process: nothing is lost, and it recovers by itself."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from tests.collector import Answered, Collector, Fault
from tests.e2e.scene import Scene
from tests.e2e.traffic import Traffic, accept, all_arrived, hook, logged, settled, tracks_of

NOBODY = "http://collector.invalid/hook"
"""RFC 6761: no name under .invalid ever resolves."""


async def test_an_answer_that_comes_a_byte_at_a_time_is_given_up_at_the_timeout_and_its_batch_sent_again(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    collector.answers(*[Answered(fault=Fault.DRIP)] * 2)
    scene.deliver_to(hook(collector, timeout="400ms"))
    await scene.start_beside()
    async with traffic.running():
        failing = await logged(scene, "destination_failing", destination="hook")
        await logged(scene, "destination_recovered", destination="hook")
    assert "Timeout" in failing["detail"]
    assert traffic.refused == traffic.undecided == {}
    assert await all_arrived(traffic, collector) > 0, "the collector had taken what it answered too slowly"
    assert (await settled(scene)).dead == 0


async def test_a_connection_that_is_reset_in_the_middle_of_a_body_costs_no_event(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    collector.answers(*[Answered(fault=Fault.RESET)] * 3)
    scene.deliver_to(hook(collector, batch_events_max=50, batch_age_max="30s"))
    await scene.start_beside()
    await accept(traffic, 50)
    assert await all_arrived(traffic, collector) == 0
    assert collector.attempts == 4
    assert (await settled(scene)).dead == 0


async def test_a_batch_whose_answer_was_lost_comes_again_with_the_same_ids(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    collector.answers(Answered(fault=Fault.LOSE))
    scene.deliver_to(hook(collector, batch_events_max=10, batch_age_max="30s"))
    await scene.start_beside()
    await accept(traffic, 10)
    assert await all_arrived(traffic, collector) in (0, 10)
    assert (await settled(scene)).delivered == 10
    first, again = (tracks_of([request]) for request in collector.taken)
    assert first == again == [("caller", event_id) for event_id in traffic.accepted["caller"]]


async def test_an_answer_that_breaks_off_after_its_status_line_is_an_answer(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    collector.answers(Answered(200, fault=Fault.TORN))
    scene.deliver_to(hook(collector))
    await scene.start_beside()
    await accept(traffic, 1)
    await settled(scene)
    assert collector.attempts == 1


async def test_a_name_that_does_not_resolve_is_tried_again_and_the_events_wait(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector, endpoint=NOBODY))
    await scene.start_beside()
    async with traffic.running():
        await logged(scene, "destination_failing", destination="hook")
        await traffic.go_on()
    assert traffic.refused == traffic.undecided == {}
    assert await asyncio.to_thread(scene.daemon.stop) == 0
    scene.deliver_to(hook(collector))
    await scene.start_beside()
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).dead == 0


@pytest.mark.parametrize("wrong", ["name", "authority"])
async def test_a_wrong_certificate_gets_no_event_and_a_right_one_gets_all(
    scene: Scene, traffic: Traffic, tmp_path: Path, wrong: str
) -> None:
    trusted, other = trustme.CA(), trustme.CA()
    trusted.cert_pem.write_to_path(tmp_path / "ca.pem")
    presented = trusted.issue_cert("elsewhere.example") if wrong == "name" else other.issue_cert("127.0.0.1")
    impostor = await listening(presented)
    scene.deliver_to(hook(impostor, ca_file=str(tmp_path / "ca.pem")))
    await scene.start_beside()
    await accept(traffic, 3)
    failing = await logged(scene, "destination_failing", destination="hook")
    assert "ertificate" in failing["detail"]
    assert impostor.attempts == 0
    port = impostor.port
    await impostor.close()
    right = await listening(trusted.issue_cert("127.0.0.1"), port)
    assert await all_arrived(traffic, right) == 0
    assert (await settled(scene)).dead == 0
    await right.close()


async def listening(certificate: trustme.LeafCert, port: int = 0) -> Collector:
    """A collector that shows a certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(tls)
    collector = Collector(tls=tls)
    await collector.start(port)
    return collector
