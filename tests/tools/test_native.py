"""Twin of tools/checks/native.py: what is skipped is said, and is an error where the codec is required."""

from __future__ import annotations

import pytest

from tools.checks import native


@pytest.fixture(autouse=True)
def no_cargo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv("NATIVE", raising=False)


def test_without_cargo_a_check_is_skipped_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    assert native.main(["clippy"]) == 0
    assert capsys.readouterr().out.startswith("SKIPPED: no cargo")


def test_without_cargo_a_check_fails_where_the_codec_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATIVE", "require")
    assert native.main(["test"]) == 1


def test_without_cargo_deny_its_check_is_skipped_aloud_also_where_the_codec_is_required(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "cargo" if name == "cargo" else None)
    monkeypatch.setenv("NATIVE", "require")
    assert native.main(["deny"]) == 0
    assert capsys.readouterr().out.startswith("SKIPPED: no cargo-deny")


@pytest.mark.parametrize("arguments", [[], ["build"], ["fmt", "test"]])
def test_a_command_that_there_is_not_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert native.main(arguments) == 2
    assert capsys.readouterr().out == "wanted one of fmt, clippy, deny, test\n"
