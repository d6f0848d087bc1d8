"""What end-to-end tests share: daemons that are stopped at the end, and a collector that events go to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.fixtures import collector
from tests.e2e.scene import Scene
from tests.e2e.traffic import Traffic

__all__ = ["collector"]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A directory with a datafile in it, and a daemon that serves it once it is started."""
    scene = Scene(tmp_path)
    yield scene
    if scene.daemon.running:
        scene.daemon.kill()


@pytest.fixture
def traffic(scene: Scene) -> Traffic:
    """Callers of that daemon, whose waits for a destination that fails are shortened by its configuration."""
    scene.daemon.configuration["delivery"] = {
        "backoff_min": "20ms",
        "backoff_max": "200ms",
        "pause_probe_interval": "200ms",
    }
    return Traffic(scene)
