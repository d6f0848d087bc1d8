"""The soak's course: a daemon under load, killed again and again, its destination failing at random; then the count."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.ports import DestinationCounts
from tests.e2e.scene import Scene
from tests.soak.load import Load
from tests.soak.memory import Life, Sample, across_kib_per_min, slope_kib_per_min
from tests.support.conservation import conserved
from tests.support.daemon import ROOT

SAMPLE_S = 0.5
DRAIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and how hard. Rates are what is tried for.

    The last life is not killed: `last_life_s` of the time are its, and what it grows after `warm_up_s` is growth. Why
    so long: bounded memories (of decision ids, of SQLite pages) fill in the first half minute of load.
    """

    seconds: float
    tracks_per_s: int = 500
    decides_per_s: int = 2_000
    kill_every_s: float = 20.0
    last_life_s: float = 120.0
    warm_up_s: float = 45.0
    seed: int = 1


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was done and found. `lost` are ids that were accepted and never taken by the collector."""

    plan: Plan
    kills: int = 0
    loaded_s: float = 0.0
    accepted: int = 0
    decided: int = 0
    failed: int = 0
    lost: Sequence[str] = ()
    duplicates: int = 0
    counts: DestinationCounts | None = None
    lives: list[Life] = field(default_factory=list)
    load_cpu_s: float = 0.0

    @property
    def holds(self) -> bool:
        """Nothing lost, and the counts add up with nothing left."""
        counts = self.counts
        return not self.lost and counts is not None and counts.conserved and not counts.pending and not counts.dead

    def table(self) -> str:
        """Two columns."""
        counts, seconds = self.counts, self.loaded_s
        resident = [sample.kib / 1024 for life in self.lives for sample in life] or [0.0]
        last = [sample for sample in self.lives[-1] if sample.at_s - self.lives[-1][0].at_s >= self.plan.warm_up_s]
        rows = [
            ("loaded", f"{seconds:.0f} s, of them {self.load_cpu_s / seconds:.0%} of a core by the load itself"),
            ("SIGKILL", f"{self.kills}, one each {self.plan.kill_every_s:g} s; seed {self.plan.seed}"),
            ("Track", f"{self.accepted} accepted, {self.accepted / seconds:.0f}/s, goal {self.plan.tracks_per_s}/s"),
            ("Decide", f"{self.decided} answered, {self.decided / seconds:.0f}/s, goal {self.plan.decides_per_s}/s"),
            ("calls that failed", f"{self.failed}, while it was down; each Track was tried again"),
            ("accepted events lost", f"{len(self.lost)} {' '.join(self.lost[:3])}".strip()),
            ("came more than once", f"{self.duplicates}"),
            ("the outbox's counts", "none" if counts is None else _words(counts)),
            ("resident memory", f"{min(resident):.1f} to {max(resident):.1f} MiB, all lives"),
            (
                "  its slope",
                f"{slope_kib_per_min([last]):+.0f} KiB/min in the last life, after {self.plan.warm_up_s:g} s",
            ),
            ("  from life to life", f"{across_kib_per_min(self.lives[:-1]):+.0f} KiB/min, each as it was killed"),
        ]
        return "\n".join(f"{name:22} {said}" for name, said in rows)


async def run(plan: Plan, directory: Path) -> Outcome:
    """Do it; returns when everything accepted is delivered, or after two minutes of waiting for that."""
    scene, outcome = Scene(directory), Outcome(plan=plan)
    scene.daemon.configuration["delivery"] = {"backoff_min": "50ms", "backoff_max": "500ms"}
    load = Load(plan.tracks_per_s, plan.decides_per_s)
    taken = directory / "taken"
    async with _taker(plan.seed, taken) as (url, well):
        scene.deliver_to({"name": "hook", "type": "webhook", "endpoint": url, "batch_age_max": "50ms", "timeout": "2s"})
        try:
            await _lives(scene, load, outcome)
            well()
            await _settle(scene, outcome)
        finally:
            if scene.daemon.running:
                scene.daemon.kill()
    arrived = Counter(taken.read_text().split())
    outcome.accepted, outcome.decided, outcome.failed = len(load.accepted), load.decided, load.failed
    outcome.lost = sorted(set(load.accepted) - arrived.keys())
    outcome.duplicates = arrived.total() - len(arrived)
    return outcome


async def _lives(scene: Scene, load: Load, outcome: Outcome) -> None:
    """One daemon after another, each killed under load but the last."""
    plan = outcome.plan
    await scene.start_beside()
    await load.use(scene.daemon.address)
    began_s, cpu_s = time.monotonic(), time.process_time()
    async with asyncio.TaskGroup() as group:
        loading = group.create_task(load.run())
        while time.monotonic() - began_s < plan.seconds - plan.last_life_s:
            outcome.lives.append(await _watched(scene, plan.kill_every_s))
            await asyncio.to_thread(scene.daemon.kill)
            outcome.kills += 1
            await scene.start_beside()
            await load.use(scene.daemon.address)
        outcome.lives.append(await _watched(scene, plan.last_life_s))
        outcome.loaded_s, outcome.load_cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
        await load.stop()
        await loading


async def _watched(scene: Scene, seconds: float) -> Life:
    began_s, life = time.monotonic(), []
    while (age_s := time.monotonic() - began_s) < seconds:
        life.append(Sample(time.monotonic(), scene.memory_bytes() / 1024))
        await asyncio.sleep(min(SAMPLE_S, seconds - age_s))
    return life


async def _settle(scene: Scene, outcome: Outcome) -> None:
    deadline_s = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline_s:
        outcome.counts = (await asyncio.to_thread(conserved, scene.daemon))["hook"]
        if not outcome.counts.pending:
            return
        await asyncio.sleep(SAMPLE_S)


def _words(counts: DestinationCounts) -> str:
    return (
        f"accepted {counts.accepted} = delivered {counts.delivered} + pending {counts.pending} + dead {counts.dead}"
        f" + dropped {sum(counts.dropped.values())}"
    )


@asynccontextmanager
async def _taker(seed: int, taken: Path) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """The collector's URL, and what makes it well for good."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.soak.taker", "--seed", str(seed), "--taken", str(taken)),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        said = (await process.stdout.readline()).decode()
        yield said.split()[-1], lambda: process.send_signal(signal.SIGUSR1)
    finally:
        process.terminate()
        await process.wait()
