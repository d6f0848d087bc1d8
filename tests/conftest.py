"""On which wire the tests run. `wire` is for those that are about it: on both; the others take the best there is."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from tests.support.wire import CHOSEN, MISSING

# Why: how long an example takes says how busy the machine is, and nothing else.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--transport", choices=("auto", "native", "grpcio"), default="auto", help="the wire of all tests")


def pytest_configure(config: pytest.Config) -> None:
    CHOSEN.transport = config.getoption("--transport")


# Why of a module: what is started once for all tests of a file is started once for each wire.
@pytest.fixture(
    scope="module",
    params=["grpcio", pytest.param("native", marks=pytest.mark.skipif(bool(MISSING), reason=MISSING or "it is there"))],
)
def wire(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run on both wires whatever asks for this fixture, and what it starts."""
    name: str = request.param
    if request.config.getoption("--transport") not in ("auto", name):
        pytest.skip("another wire was chosen for this run")
    with CHOSEN.instead(name):
        yield name
