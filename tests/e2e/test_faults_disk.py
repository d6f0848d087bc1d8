"""A disk that is full, that fails, and that must be synced: decisions go on, what was accepted is kept."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.collector import Collector
from tests.e2e.scene import Scene
from tests.e2e.traffic import Traffic, accept, all_arrived, hook, logged, metric, settled
from tests.support.faulty import MISSING, FaultyLayer

WRITABLE = "sidecar_outbox_writable"
MARK = "caller-"
needs_layer = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@pytest.fixture
def layer(scene: Scene, tmp_path: Path) -> FaultyLayer:
    """The daemon's calls to its disk and clock go through it."""
    layer = FaultyLayer(tmp_path)
    scene.daemon.environment.update(layer.environment())
    return layer


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB, where this may be mounted; the outbox at rest takes up to 4 MiB, for its journal."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small tmpfs (wants root): {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


async def test_on_a_full_disk_decisions_go_on_events_are_refused_and_all_recovers_when_there_is_room(
    scene: Scene, collector: Collector, traffic: Traffic, small_disk: Path
) -> None:
    scene.daemon.configuration["data_dir"] = str(small_disk / "data")
    scene.deliver_to(hook(collector))
    ballast = small_disk / "ballast"
    await scene.start_beside()
    async with traffic.running():
        await traffic.go_on()
        fill(ballast)
        await logged(scene, "outbox_unwritable")
        decided = traffic.decided
        await traffic.until(lambda: traffic.refused["OUTBOX_UNWRITABLE"] >= 5 and traffic.decided >= decided + 20)
        assert await metric(scene, WRITABLE) == 0
        ballast.unlink()
        await logged(scene, "outbox_writable_again")
        await traffic.go_on()
    assert traffic.undecided == {}
    assert set(traffic.refused) == {"OUTBOX_UNWRITABLE"}
    await all_arrived(traffic, collector)
    assert (await settled(scene)).dead == 0
    assert await metric(scene, WRITABLE) == 1


@needs_layer
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
async def test_while_writes_and_syncs_fail_decisions_go_on_and_what_was_accepted_before_and_after_arrives(
    scene: Scene, collector: Collector, traffic: Traffic, layer: FaultyLayer, error: int
) -> None:
    scene.deliver_to(hook(collector))
    await scene.start_beside()
    async with traffic.running():
        await traffic.go_on()
        with layer.failing_disk(error):
            await logged(scene, "outbox_unwritable")
            decided = traffic.decided
            await traffic.until(lambda: traffic.refused["OUTBOX_UNWRITABLE"] >= 5 and traffic.decided >= decided + 20)
        await logged(scene, "outbox_writable_again")
        await traffic.go_on()
    assert traffic.undecided == {}
    assert set(traffic.refused) == {"OUTBOX_UNWRITABLE"}
    await all_arrived(traffic, collector)
    assert (await settled(scene)).dead == 0


@needs_layer
async def test_a_kill_while_the_disk_fails_loses_nothing_that_was_accepted(
    scene: Scene, collector: Collector, traffic: Traffic, layer: FaultyLayer
) -> None:
    scene.deliver_to(hook(collector))
    await collector.close()
    await scene.start_beside()
    async with traffic.running():
        await traffic.go_on()
        with layer.failing_disk():
            await traffic.until(lambda: traffic.refused["OUTBOX_UNWRITABLE"] > 0)
            scene.daemon.kill()
    await collector.start()
    await scene.start_beside()
    await all_arrived(traffic, collector)
    assert (await settled(scene)).dead == 0


@needs_layer
async def test_with_durability_power_each_reply_leaves_after_a_sync_of_its_event(
    scene: Scene, collector: Collector, traffic: Traffic, layer: FaultyLayer
) -> None:
    assert await synced_replies(scene, collector, traffic, layer, durability="power") == [True] * 20


@needs_layer
async def test_with_durability_process_replies_do_not_wait_for_a_sync(
    scene: Scene, collector: Collector, traffic: Traffic, layer: FaultyLayer
) -> None:
    assert not all(await synced_replies(scene, collector, traffic, layer, durability="process"))


async def synced_replies(
    scene: Scene, collector: Collector, traffic: Traffic, layer: FaultyLayer, durability: str
) -> Sequence[bool]:
    """For each of 20 events of one caller, whether its log was written and then synced before its reply."""
    scene.daemon.environment.update(layer.environment(MARK))
    scene.daemon.configuration["outbox"] = {"durability": durability}
    # No delivery, whose requests would hold the ids too, and whose commits would sync for the events.
    await collector.close()
    scene.deliver_to(hook(collector, batch_age_max="60s"))
    await scene.start_beside()
    await accept(traffic, 20)
    replies = []
    written = synced = False
    for line in layer.log:
        what, name = line.split(" ", 1)
        if what == "write" and name.endswith("-wal"):
            written, synced = True, False
        elif what == "sync" and name.endswith("-wal"):
            synced = written
        elif what == "sent":
            replies.append(synced)
            written = synced = False
    return replies


def fill(ballast: Path) -> None:
    """Take what room there is, to the last byte."""
    with ballast.open("wb", buffering=0) as file:
        for size in (64 * 1024, 4096, 512, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise
