"""Choosing commands, exit codes of real processes, and what a quick command does not load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.cli.entry import COMMANDS
from tests.cli.conftest import Run, Write
from tests.decision.building import document, flag, rule


def process(*arguments: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sidecar", *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_its_options(run: Run, name: str) -> None:
    ran = run(name, "--help")
    assert (ran.code, ran.out.startswith(f"usage: sidecar {name}")) == (0, True)


def test_help_lists_the_commands(run: Run) -> None:
    ran = run("--help")
    assert [name for name in COMMANDS if f"    {name}" not in ran.out] == []


@pytest.mark.parametrize("arguments", [(), ("nope",), ("check",), ("check", "--nope", "x")])
def test_a_wrong_call_exits_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "usage: sidecar" in ran.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("serve", "--acces-token", "hidden"), "`--acces-token`; did you mean `--access-token`?"),
        (("serve", "--datafle=hidden"), "`--datafle`; did you mean `--datafile`?"),
        (("serve", "--stop", "5s"), "`--stop`"),
        (("check", "one", "two"), "`two`"),
    ],
)
def test_an_unknown_flag_is_refused_with_a_suggestion_and_never_its_value(
    run: Run, arguments: tuple[str, ...], problem: str
) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert f"unrecognized arguments: {problem}" in ran.err
    assert "hidden" not in ran.err


def test_a_wrong_configuration_exits_with_2(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("nope: 1\n", encoding="utf-8")
    ran = run("serve", "--config", str(config))
    assert ran.code == 2
    assert "nope" in ran.err


def test_processes_exit_with_what_they_found(write: Write, tmp_path: Path) -> None:
    sound = json.dumps(document())
    assert process("check", "-", given=sound).returncode == 0
    assert process("check", "-", given="{").returncode == 1
    half = write("half.json", experiments=[rule(trafficAllocation=[])])
    moved = process("diff", "-", half, "--users", "100", "--fail-over", "5%", given=sound)
    assert (moved.returncode, moved.stderr) == (1, "")
    assert process("diff", "-", str(tmp_path / "none"), given=sound).returncode == 2


def test_what_an_output_cannot_show_is_escaped() -> None:
    body = json.dumps(document(featureFlags=[flag(rolloutId="é")]))
    ran = process("check", "-", given=body, PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "there is no rollout `\\xe9`" in ran.stdout


def test_a_reader_who_leaves_is_no_crash(write: Write) -> None:
    command = [sys.executable, "-m", "sidecar", "simulate", write(), "--users", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as left:
        assert left.stdout is not None
        assert left.stderr is not None
        left.stdout.close()
        assert left.stderr.read() == ""
    assert left.returncode == 1


def test_health_loads_neither_the_daemon_nor_the_engine() -> None:
    script = (
        "import sys; from sidecar.cli import main; main(['health', '--address', 'unix:/nowhere', '--timeout', '0.1'])"
    )
    loaded = f"{script}; print(*sorted(name for name in sys.modules if name.startswith('sidecar')))"
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    modules = ran.stdout.splitlines()[-1].split()
    assert "sidecar.cli.health" in modules
    assert [name for name in modules if name.startswith(("sidecar.app", "sidecar.decision", "sidecar.pb"))] == []
