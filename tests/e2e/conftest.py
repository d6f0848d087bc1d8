"""What end-to-end tests share: daemons that are stopped at the end, and a collector that events go to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.fixtures import collector
from tests.e2e.scene import Scene

__all__ = ["collector"]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A directory with a datafile in it, and a daemon that serves it once it is started."""
    scene = Scene(tmp_path)
    yield scene
    if scene.daemon.running:
        scene.daemon.kill()
