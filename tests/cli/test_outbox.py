"""`sidecar outbox`: a running daemon through its Unix socket, a stopped one through its file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli import main
from sidecar.pb import tracking_pb2
from tests.support.conservation import conserved
from tests.support.daemon import Daemon

HOOK = {"name": "hook", "type": "webhook", "endpoint": "http://127.0.0.1:9/"}
OLD = {**HOOK, "name": "old"}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIDECAR_ADDRESS", "SIDECAR_GRPC_LISTEN", "SIDECAR_CONFIG", "SIDECAR_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


class Shell:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], daemon: Daemon) -> None:
        self._capsys, self.daemon = capsys, daemon
        self.file = ("--data-dir", str(daemon.data_dir))
        self.socket = ("--address", f"unix:{daemon.directory / 's'}")
        self.config = ("--config", str(daemon.directory / "sidecar.yaml"))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        try:
            code = main(["outbox", *arguments])
        except SystemExit as ended:
            code = int(str(ended.code))
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def json(self, *arguments: str) -> Any:
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """A daemon that runs and holds two dead letters of `old`, which it had once, and one event for `hook`."""
    configuration = {
        "grpc_listen": ["127.0.0.1:0", f"unix:{tmp_path / 's'}"],
        "destinations": [HOOK, OLD],
        "drain": 0,
    }
    with Daemon(tmp_path, configuration) as daemon:
        daemon.start()
        for event_id in ("1", "2"):
            request = tracking_pb2.TrackRequest(user_id="u", event_key="bought", event_id=event_id)
            daemon.call("/sidecar.v1.TrackingService/Track", request, tracking_pb2.TrackResponse)
        daemon.stop()
        daemon.configuration["destinations"] = [HOOK]
        daemon.start()
        yield Shell(capsys, daemon)


def test_stats_of_the_file_and_of_the_running_daemon_are_the_same(shell: Shell) -> None:
    by_file = {one["destination"]: one for one in shell.json("stats", *shell.file)}
    by_socket = {one["destination"]: one for one in shell.json("stats", *shell.socket)}
    counts = conserved(shell.daemon)
    for name in ("hook", "old"):
        same = ("accepted", "delivered", "pending", "pending_bytes", "dead", "dead_bytes", "dropped")
        assert [by_file[name][key] for key in same] == [by_socket[name][key] for key in same]
        assert by_file[name]["accepted"] == counts[name].accepted == 2
    assert (by_socket["hook"]["pending"], by_socket["old"]["dead"]) == (2, 2)


@pytest.mark.parametrize("through", ["file", "socket"])
def test_what_waits_and_what_died_look_the_same_from_both_sides(shell: Shell, through: str) -> None:
    way = getattr(shell, through)
    (event,) = shell.json("peek", *way, "--destination", "hook", "--limit", "1")
    assert (event["event_id"], event["kind"], event["event"]["event_key"]) == ("1", "track", "bought")
    assert set(event) == {"event_id", "kind", "accepted_time", "datafile", "event"}
    letters = shell.json("dead", *way, "--destination", "old")
    assert [one["event"]["event_id"] for one in letters] == ["1", "2"]
    assert (letters[0]["reason"], letters[0]["attempts"]) == ("DESTINATION_REMOVED", 0)


def test_both_sides_say_the_same_of_every_event(shell: Shell) -> None:
    for command, name in (("peek", "hook"), ("dead", "old")):
        by_file = shell.json(command, *shell.file, "--destination", name)
        assert by_file == shell.json(command, *shell.socket, "--destination", name)


def test_text_has_a_line_for_each(shell: Shell) -> None:
    assert len(shell.run("stats", *shell.file)[1].splitlines()) == 3
    assert len(shell.run("peek", *shell.file, "--destination", "hook")[1].splitlines()) == 3
    dead = shell.run("dead", *shell.file, "--destination", "old")[1].splitlines()
    assert "DESTINATION_REMOVED" in dead[1]
    assert shell.run("dead", *shell.file, "--destination", "hook")[1] == "there are none\n"


def test_the_file_of_a_running_daemon_is_not_changed_and_the_holder_is_named(shell: Shell) -> None:
    before = shell.json("stats", *shell.file)
    code, _, complaint = shell.run("purge", *shell.file, "--destination", "old", "--all", "--yes")
    assert code == 1
    assert f"is in use by pid {shell.daemon.pid}" in complaint
    assert shell.json("stats", *shell.file) == before


def test_a_running_daemon_is_found_by_its_configuration(shell: Shell) -> None:
    assert shell.json("purge", *shell.config, "--destination", "old", "--all", "--yes") == {"purged": 2}
    assert conserved(shell.daemon)["old"].dropped == {"PURGED": 2}


def test_named_dead_letters_are_purged_and_the_others_stay(shell: Shell) -> None:
    first = shell.json("dead", *shell.socket, "--destination", "old", "--limit", "1")[0]["dead_letter_id"]
    chosen = ("--destination", "old", "--id", first)
    assert shell.json("purge", *shell.socket, *chosen, "--yes") == {"purged": 1}
    (left,) = shell.json("dead", *shell.socket, "--destination", "old")
    assert left["event"]["event_id"] == "2"


def test_the_file_of_a_stopped_daemon_is_changed(shell: Shell) -> None:
    shell.daemon.stop()
    assert shell.json("requeue", *shell.file, "--destination", "old", "--all") == {"requeued": 2, "left": 0}
    assert len(shell.json("peek", *shell.file, "--destination", "old")) == 2
    shell.daemon.configuration["destinations"] = [HOOK, OLD]
    shell.daemon.start()
    counts = conserved(shell.daemon)
    assert (counts["old"].pending, counts["hook"].pending) == (2, 2)


def test_the_configured_bound_counts_for_the_file_of_a_stopped_daemon(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.daemon.stop()
    (one, _) = shell.json("dead", *shell.file, "--destination", "old")
    small = tmp_path / "small.yaml"
    small.write_text("outbox: {bytes_max: 1}\n")
    chosen = (*shell.file, "--destination", "old")
    assert shell.json("requeue", *chosen, "--all", "--config", str(small)) == {"requeued": 0, "left": 2}
    monkeypatch.setenv("SIDECAR_OUTBOX_BYTES_MAX", "1")
    assert shell.json("requeue", *chosen, "--id", one["dead_letter_id"]) == {"requeued": 0, "left": 1}
    monkeypatch.delenv("SIDECAR_OUTBOX_BYTES_MAX")
    assert shell.json("requeue", *chosen, "--id", one["dead_letter_id"]) == {"requeued": 1, "left": 0}


def test_purge_that_nobody_can_confirm_wants_yes(shell: Shell) -> None:
    code, _, complaint = shell.run("purge", *shell.socket, "--destination", "old", "--all")
    assert (code, "wanted --yes; nothing was deleted" in complaint) == (2, True)
    assert len(shell.json("dead", *shell.socket, "--destination", "old")) == 2


def test_requeue_of_a_destination_that_is_not_configured_is_refused_by_the_daemon(shell: Shell) -> None:
    code, _, complaint = shell.run("requeue", *shell.socket, "--destination", "old", "--all")
    assert (code, "not configured" in complaint) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("peek",),
        ("peek", "--destination", "hook", "--limit", "0"),
        ("purge", "--destination", "hook", "--yes"),
        ("purge", "--destination", "hook", "--all", "--id", "1", "--yes"),
        ("requeue", "--destination", "hook", "--id", "x"),
        ("peek", "--destination", "nobody"),
    ],
)
def test_what_is_asked_wrongly_is_exit_code_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    code, _, complaint = shell.run(*arguments, *shell.file)
    assert code == 2
    assert complaint


def test_over_tcp_the_answer_says_where_it_is_served(shell: Shell) -> None:
    code, _, complaint = shell.run("stats", "--address", shell.daemon.addresses[0])
    assert (code, "served on Unix sockets" in complaint) == (1, True)


def test_no_outbox_there_is_exit_code_1(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("stats", "--data-dir", str(tmp_path / "nowhere"))[0] == 1
