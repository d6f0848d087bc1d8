"""The commands: what they print and how they exit. Those that need a daemon ask a real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar import __version__, cli
from sidecar.pb import tracking_pb2
from tests.decision.building import document, flag
from tests.support.daemon import ROOT, Daemon
from tests.support.served import BOTH, SHOP, TRACK, track_request


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("SIDECAR_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    configuration = {"datafile": str(SHOP), "destinations": [dict(one) for one in BOTH], "drain": 0}
    with Daemon(tmp_path_factory.mktemp("daemon"), configuration) as one:
        yield one.start()


@pytest.fixture
def datafile(tmp_path: Path) -> Path:
    """A datafile with one warning."""
    path = tmp_path / "datafile.json"
    path.write_text(json.dumps(document(featureFlags=[flag(rolloutId="nope")])))
    return path


# --- check --------------------------------------------------------------------------------------------------------


def test_check_of_a_good_datafile(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(SHOP)]) == 0
    assert cli.main(["check", "--strict", str(SHOP)]) == 0
    line = f"{SHOP}: revision `41`, 5 flags, 4 experiments, 0 warnings\n"
    assert capsys.readouterr().out == line * 2


def test_check_lists_warnings_and_only_strict_minds(datafile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(datafile)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first == "featureFlags[0].rolloutId: there is no rollout `nope`; it is skipped"
    assert last.endswith("1 flags, 1 experiments, 1 warnings")
    assert cli.main(["check", "--strict", str(datafile)]) == 1


@pytest.mark.parametrize(
    ("text", "path"),
    [("no JSON", ""), ("", ""), ('{"version": "9", "revision": "1"}', "version"), ('{"version": "4"}', "revision")],
)
def test_check_of_a_rejected_datafile(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, path: str) -> None:
    file = tmp_path / "d.json"
    file.write_text(text)
    assert cli.main(["check", str(file)]) == 1
    assert "datafile rejected" in capsys.readouterr().out
    assert cli.main(["check", "--json", str(file)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["accepted"], answer["rejection"]["path"], answer["warnings"]) == (False, path, [])


# --- the rest of the line -----------------------------------------------------------------------------------------


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"sidecar {__version__}\n"


@pytest.mark.parametrize("line", [[], ["srve"], ["outbox"], ["outbox", "stat"], ["check"], ["serve", "--graec", "1s"]])
def test_line_that_is_no_command_exits_with_2(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(line)
    assert ended.value.code == 2
    assert "usage: sidecar" in capsys.readouterr().err


def test_serve_with_a_wrong_configuration_names_each_mistake_and_exits_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDECAR_LOG_LEVEL", "loud")
    assert cli.main(["serve", "--grace", "soon", "--grpc-listen", "a:1", "--grpc-listen", "nowhere"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "sidecar: grace is `soon`, wanted a duration such as `5s` or `250ms`",
        "sidecar: log.level is `loud`, wanted one of `debug`, `info`, `warning`, `error`",
    ]


def test_every_setting_has_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    shown = capsys.readouterr().out
    for name in (
        "--datafile",
        "--sdk-key",
        "--grpc-listen",
        "--http-listen",
        "--data-dir",
        "--transport",
        "--tls-cert",
    ):
        assert name in shown
    for name in ("--tls-key", "--tls-client-ca", "--token-file", "--stop-delay", "--config", "--outbox-bytes-max"):
        assert name in shown


def test_health_loads_nothing_of_the_daemon() -> None:
    program = (
        "import sys; from sidecar import cli; cli.main(['health', '--address', '127.0.0.1:1', '--timeout', '0.1']);"
        "print([name for name in sys.modules if name.startswith(('sidecar.app', 'aiohttp', 'uvloop', 'watchdog'))])"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


# --- with a daemon ------------------------------------------------------------------------------------------------


def test_health_of_a_serving_daemon(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ([], ["datafile/default"], ["sidecar.v1.DecisionService"]):
        assert cli.main(["health", "--address", daemon.address, *name]) == 0
    assert capsys.readouterr().out == "SERVING\n" * 3


def test_health_of_an_unknown_name(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["health", "--address", daemon.address, "datafile/nope"]) == 1
    assert "NOT_FOUND" in capsys.readouterr().out


def test_health_finds_the_daemon_by_its_variables(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIDECAR_GRPC_LISTEN", f"{daemon.address}, unix:/nowhere")
    assert cli.main(["health"]) == 0
    monkeypatch.setenv("SIDECAR_GRPC_LISTEN", "127.0.0.1:1")
    monkeypatch.setenv("SIDECAR_ADDRESS", daemon.address)
    assert cli.main(["health"]) == 0


def test_health_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["health", "--address", "127.0.0.1:1", "--timeout", "0.3"]) == 1
    assert capsys.readouterr().out.startswith("no answer from 127.0.0.1:1: ")


def test_outbox_stats_of_a_running_and_of_a_stopped_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configuration = {"datafile": str(SHOP), "destinations": [dict(one) for one in BOTH], "drain": 0}
    with Daemon(tmp_path, configuration) as daemon:
        daemon.start()
        for _ in range(3):
            daemon.call(TRACK, track_request(), tracking_pb2.TrackResponse)
        for state in ("running", "stopped"):
            if state == "stopped":
                assert daemon.stop() == 0
            assert cli.main(["outbox", "stats", "--data-dir", str(daemon.data_dir), "--json"]) == 0
            counts = {one["destination"]: one for one in json.loads(capsys.readouterr().out)}
            assert [(counts[name]["accepted"], counts[name]["pending"]) for name in ("optimizely", "hook")] == [
                (3, 3)
            ] * 2
            assert all(one["conserved"] for one in counts.values())
            assert cli.main(["outbox", "stats", "--data-dir", str(daemon.data_dir)]) == 0
            heading, *rows = capsys.readouterr().out.splitlines()
            assert heading.split()[:3] == ["destination", "accepted", "delivered"]
            assert [row.split()[:5] for row in rows] == [[name, "3", "0", "3", "0"] for name in ("optimizely", "hook")]


def test_outbox_stats_where_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["outbox", "stats", "--data-dir", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_second_daemon_in_one_data_directory_names_the_first(daemon: Daemon, tmp_path: Path) -> None:
    with Daemon(tmp_path, {**daemon.configuration}) as second:
        assert second.spawn().wait() == 1
        assert f"data directory `{daemon.data_dir}` is in use by pid {daemon.pid}, since 20" in second.log
        assert "Traceback" not in second.log
    daemon.wait_for_health("SERVING")


@pytest.mark.parametrize("key", ["grpc_listen", "http_listen"])
def test_taken_port_is_a_sentence_and_exit_code_1(daemon: Daemon, tmp_path: Path, key: str) -> None:
    address = daemon.address if key == "grpc_listen" else daemon.http
    with Daemon(tmp_path, {"datafile": str(SHOP), key: address}) as second:
        assert second.spawn().wait() == 1
        assert f"sidecar: cannot listen on {address}" in second.log
        assert "Traceback" not in second.log


def test_wrong_configuration_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    wrong = {"token_file": str(tmp_path / "gone"), "transport": "grpcio"}
    with Daemon(tmp_path, wrong) as daemon:
        assert daemon.spawn().wait() == 2
        assert f"sidecar: token_file `{tmp_path / 'gone'}` cannot be used" in daemon.log
        assert "Traceback" not in daemon.log
