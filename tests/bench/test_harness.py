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
from bench.table import FAILED, MISSED, REACHED, SHOWN, SKIPPED, Row, render

needs_h2load = pytest.mark.skipif(bool(h2load.missing()), reason=h2load.missing() or "h2load is here")
QUICK = ("track-delivered", "decide-one", "start", "reload", "delivery", "decide-p99-delivery")


@needs_h2load
def test_each_row_has_a_figure_and_a_verdict_and_none_failed() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench", "--tiny", *QUICK],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert ran.returncode in (0, 1), ran.stderr
    lines = [line for line in ran.stdout.splitlines() if not line.startswith("    ")]
    verdicts = [line.rpartition("  ")[2].split()[-1] for line in lines if " ≥ " in line or " ≤ " in line]
    assert len(verdicts) == 5
    assert set(verdicts) <= {REACHED, MISSED, SKIPPED}, ran.stdout
    assert sum(SHOWN in line for line in lines) == 2
    assert not any(line.endswith(FAILED) for line in lines), ran.stdout
    assert "CPU spread" in ran.stdout
    assert "CPython" in lines[1] or "PyPy" in lines[1]


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


def test_a_row_without_a_figure_says_why() -> None:
    shown = render([Row(name="load", bound=0.7, skipped="h2load not found"), Row(name="start", failed="it ended")])
    assert "h2load not found" in shown
    assert "it ended" in shown
    assert [line.split()[-1] for line in shown.splitlines()[2::2]] == [SKIPPED, FAILED]
