"""What `sidecar check` prints and how it exits; what it finds is in tests/decision/test_audit.py."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Write
from tests.decision.building import document, flag, rule


def test_a_sound_datafile_is_accepted(run: Run, write: Write) -> None:
    ran = run("check", write(), "--strict")
    assert (ran.code, ran.err) == (0, "")
    assert "revision `7`, 1 flags, 1 experiments, 0 warnings" in ran.out


def test_warnings_are_listed_with_their_paths_and_accepted(run: Run, write: Write) -> None:
    ran = run("check", write(featureFlags=[flag(experimentIds=["nope"])]))
    assert ran.code == 0
    assert "featureFlags[0].experimentIds[0]: there is no experiment `nope`" in ran.out


def test_strict_refuses_warnings(run: Run, write: Write) -> None:
    assert run("check", "--strict", write(featureFlags=[flag(experimentIds=["nope"])])).code == 1


def test_json_has_paths_and_messages(run: Run, write: Write) -> None:
    answer = run("check", "--json", write(experiments=[rule(audienceIds=["9"])])).json
    assert answer["accepted"] is True
    assert "experiments[0].audienceIds[0]" in [warning["path"] for warning in answer["warnings"]]


def test_a_rejected_datafile_is_named_with_its_place(run: Run, write: Write) -> None:
    ran = run("check", write(version="9"))
    assert ran.code == 1
    assert "version is `9`, wanted 2, 3 or 4" in ran.out
    answer = run("check", "--json", write(version="9")).json
    assert (answer["accepted"], answer["rejection"]["path"]) == (False, "version")


def test_a_missing_file_is_no_verdict(run: Run, tmp_path: Path) -> None:
    ran = run("check", str(tmp_path / "none.json"))
    assert ran.code == 2
    assert ran.err == f"sidecar: {tmp_path}/none.json cannot be read: No such file or directory\n"


def test_a_dash_reads_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(document()).encode())))
    assert run("check", "-").code == 0
