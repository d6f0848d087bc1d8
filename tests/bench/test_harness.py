"""The harness at a size that means nothing: that every row is measured, judged and printed. No bound is asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import h2load
from bench.__main__ import main
from bench.daemon import Configured, collector, nobody, running
from bench.processes import Cores
from bench.requests import decide, track
from bench.rows import ROWS
from bench.servers import AIO_ECHO, ECHOES, GO_ECHO, GRPCIO, NATIVE, Unavailable, built_go_echo, place
from bench.table import FAILED, MISSED, REACHED, SHOWN, SKIPPED, Beside, Row, render
from bench.wire_rows import WIRE_ROWS
from sidecar.transport.native import codec
from tests.support.toolchains import require

needs_h2load = pytest.mark.skipif(bool(h2load.missing()), reason=h2load.missing() or "h2load is here")
needs_codec = pytest.mark.skipif(bool(codec.missing()), reason=codec.missing() or "the codec is here")


def measured(*arguments: str) -> tuple[str, list[str]]:
    """What the bench prints at a size that means nothing, whole, and the verdict of each row."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench", "--tiny", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert ran.returncode in (0, 1), ran.stderr
    lines = [line for line in ran.stdout.splitlines() if line and not line.startswith("    ")]
    assert "CPython" in lines[1] or "PyPy" in lines[1]
    words = (REACHED, MISSED, SKIPPED, SHOWN, FAILED)
    return ran.stdout, [word for line in lines for word in words if line.endswith(f" {word}")]


@pytest.mark.slow
@needs_h2load
@pytest.mark.timeout(120)
def test_wire_row_compares_each_wire_with_both_echoes_and_lists_all_servers() -> None:
    shown, verdicts = measured("decide-one-unix")
    assert len(verdicts) == 3
    assert set(verdicts) <= {SHOWN, SKIPPED}, shown
    there = {NATIVE: not codec.missing(), GRPCIO: True, GO_ECHO: "grpc-go echo; " in shown, AIO_ECHO: True}
    below = shown.partition("median µs")[2]
    assert [name for name in there if f" {name} " in below] == [name for name, is_there in there.items() if is_there]


@pytest.mark.slow
@needs_h2load
@needs_codec
@pytest.mark.timeout(120)
def test_each_row_has_a_figure_and_a_verdict_and_none_failed() -> None:
    shown, verdicts = measured("--transport", "native", "stream", "start", "reload", "delivery", "decide-p99-delivery")
    assert len(verdicts) == 6, shown
    assert set(verdicts) <= {REACHED, MISSED, SKIPPED, SHOWN}, shown


@pytest.mark.parametrize("name", ECHOES)
@pytest.mark.parametrize("unix", [False, True])
def test_echoes_answer_as_many_bytes_as_they_are_told(name: str, unix: bool) -> None:
    if name == GO_ECHO:
        require("go")
    for asked in (decide("flag_0"), track()):
        with place(Cores.of_machine(), unix=unix) as where, ECHOES[name](where, asked, 77) as server:
            assert server.address.startswith("unix:") is unix
            assert server.process.memory_mib() > 1


def test_echo_that_cannot_be_built_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    built_go_echo.cache_clear()
    with pytest.raises(Unavailable, match="go is not on the path"):
        built_go_echo()


def test_bounds_of_the_wire_are_the_promised_ones() -> None:
    bounds = {
        (key, pair.ours, pair.yardstick): pair.bound
        for key, row in WIRE_ROWS.items()
        for pair in row.pairs
        if pair.bound is not None
    }
    assert bounds == {
        ("decide-one", NATIVE, GO_ECHO): 0.95,
        ("decide-one", NATIVE, AIO_ECHO): 8.0,
        ("decide-one", GRPCIO, AIO_ECHO): 0.7,
        ("decide-all", NATIVE, GO_ECHO): 0.25,
        ("decide-all", GRPCIO, AIO_ECHO): 0.6,
        ("track", NATIVE, GO_ECHO): 0.6,
        ("track", GRPCIO, AIO_ECHO): 0.5,
        ("alone", NATIVE, GO_ECHO): 1.1,
    }


def test_an_unknown_row_is_refused_with_the_names_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["decide-none"])
    said = capsys.readouterr().err
    assert "`decide-none`" in said
    assert all(name in said for name in ROWS)


def test_the_requests_get_right_answers_and_are_counted(tmp_path: Path) -> None:
    asked = (decide("flag_0"), decide(), track())
    with nobody() as endpoint, running(Configured(endpoint=endpoint), Cores.of_machine(), tmp_path) as daemon:
        before = daemon.counted()
        for one in asked:
            assert one.right(daemon.call(one.method, one.request))
        after = daemon.counted()
    assert after.accepted - before.accepted == sum(one.events for one in asked)
    assert after.decisions - before.decisions == sum(one.decisions for one in asked)
    assert after.delivered == 0
    assert after.conserved
    assert not decide("flag_0").right(b"")


def test_the_collector_takes_what_is_delivered(tmp_path: Path) -> None:
    cores = Cores.of_machine()
    asked = track()
    with collector(cores, tmp_path) as url, running(Configured(endpoint=url), cores, tmp_path) as daemon:
        for _ in range(3):
            daemon.call(asked.method, asked.request)
        daemon.flush()
        assert daemon.counted().delivered == 3


def test_a_bound_is_reached_at_the_bound_itself() -> None:
    assert Row(name="ratio", figure=0.7, bound=0.7).verdict == REACHED
    assert Row(name="ratio", figure=0.69, bound=0.7).verdict == MISSED
    assert Row(name="memory", figure=72.0, bound=72.0, at_most=True).verdict == REACHED
    assert Row(name="memory", figure=72.1, bound=72.0, at_most=True).verdict == MISSED


def test_servers_of_a_row_have_a_table_of_their_own() -> None:
    one = Beside(
        load="Decide", server=NATIVE, cpu_us=11.54, rate=64_000, median_us=812, p99_us=1999, memory_mib=55.7, spread=0.1
    )
    last = render([Row(name="Decide, native", figure=1.0, servers=[one])]).splitlines()[-1]
    assert last.split() == ["Decide", NATIVE, "11.5", "64,000", "812", "1,999", "55.7", "10%"]


def test_a_row_without_a_figure_says_why() -> None:
    shown = render([Row(name="load", bound=0.7, skipped="h2load not found"), Row(name="start", failed="it ended")])
    assert "h2load not found" in shown
    assert "it ended" in shown
    assert [line.split()[-1] for line in shown.splitlines()[2::2]] == [SKIPPED, FAILED]
