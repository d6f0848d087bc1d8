"""What the tests of sources share: the real watches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sidecar.sources.watching import DirectoryWatches


@pytest.fixture
def watches() -> Iterator[DirectoryWatches]:
    watches = DirectoryWatches()
    yield watches
    watches.close()
