"""`sidecar import` against a real daemon: forms of lines, what is refused, and going on after an interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli import import_progress
from sidecar.cli.entry import main
from tests.support.daemon import ROOT, Daemon
from tests.support.served import SHOP

WEBHOOK = {"name": "hook", "type": "webhook", "endpoint": "http://127.0.0.1:9/"}
CONSOLE = {"name": "console", "type": "stdout"}


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that prints what it delivers."""
    with Daemon(tmp_path / "daemon", {"datafile": str(SHOP), "destinations": [CONSOLE], "drain": "20s"}) as one:
        yield one.start()


def history(directory: Path, lines: Sequence[Mapping[str, Any] | str]) -> Path:
    file = directory / "history.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return file


def track(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "track", "userId": f"u-{number}", "event": "Order Completed", "messageId": f"m-{number}", **more}


def run(daemon: Daemon, *arguments: str | Path) -> int:
    return main(["import", *map(str, arguments), "--address", daemon.address])


def delivered(daemon: Daemon) -> list[dict[str, Any]]:
    """Everything that the daemon prints until it has stopped."""
    assert daemon.stop(60) == 0
    return [json.loads(line) for line in daemon.output]


def test_lines_of_segment_keep_every_field_and_digit(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = 2**53 + 1
    file = history(
        tmp_path,
        [
            track(1, timestamp="2024-01-02T03:04:05.678+01:00", properties={"n": large, "total": 19.90, "x": [None]}),
            {"type": "identify", "anonymousId": "a", "traits": {"plan": "free"}, "context": {"ip": "1.2.3.4"}},
            {"type": "page", "userId": 17, "name": "Home", "category": "Shop", "properties": {"path": "/"}},
            {"type": "screen", "userId": "u", "name": "Cart", "integrations": {"All": True}},
            {"type": "group", "userId": "u", "groupId": "g", "traits": {"seats": -(2**63)}, "sentAt": "now"},
            {"type": "alias", "userId": "u", "previousId": "p", "channel": "server", "sentAt": "now"},
        ],
    )
    assert run(daemon, file) == 0
    told = capsys.readouterr().out
    assert "6 events accepted, 0 of them repeats; 0 lines refused" in told
    assert "left out: `sentAt` of 2 lines" in told
    first, identify, page, screen, group, alias = delivered(daemon)
    assert (first["event_key"], first["event_id"], first["time"]) == (
        "Order Completed",
        "m-1",
        "2024-01-02T02:04:05.678Z",
    )
    assert first["properties"] == {"n": large, "total": 19.9, "x": [None]}
    assert (identify["anonymous_id"], identify["context"]) == ("a", {"ip": "1.2.3.4"})
    assert (page["user_id"], page["name"], page["category"]) == ("17", "Home", "Shop")
    assert screen["integrations"] == {"All": True}
    assert (group["group_id"], group["traits"]) == ("g", {"seats": -(2**63)})
    assert alias["previous_id"] == "p"
    assert all(one["historical"] for one in (first, identify, page, screen, group, alias))


def test_our_own_json_event_comes_back_as_it_went_out(daemon: Daemon, tmp_path: Path) -> None:
    event = {
        "schema_version": 1,
        "kind": "track",
        "event_id": "e-1",
        "time": "2026-03-01T12:00:00.250Z",
        "user_id": "ada",
        "datafile": "default",
        "event_key": "purchase",
        "attributes": {"country": "DE"},
        "event_tags": {"color": "red"},
        "properties": {"n": 1},
        "revenue": {"amount": "19.90", "currency": "EUR"},
        "project": {"revision": "1"},
        "received_time": "2026-03-01T12:00:01Z",
    }
    assert run(daemon, history(tmp_path, [event])) == 0
    (back,) = delivered(daemon)
    assert {name: back[name] for name in event if name not in ("project", "received_time")} == {
        name: value for name, value in event.items() if name not in ("project", "received_time")
    }


WRONG: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "line: is no JSON at column"),
    "no object": ("[1]", "line: is a list, wanted an object"),
    "no kind": ('{"user_id": "u"}', "kind: is missing"),
    "a kind of another tool": ('{"type": "click"}', "type: is `click`, wanted track, identify"),
    "an impression": ('{"kind": "impression"}', "kind: is `impression`, wanted track"),
    "a misspelt field": ('{"kind": "page", "user_id": "u", "propertis": {}}', "did you mean `properties`?"),
    "an integer past 64 bits": ('{"type": "page", "userId": "u", "properties": {"n": 9223372036854775808}}', "64 bits"),
    "a decimal past a double": (
        '{"type": "page", "userId": "u", "properties": {"n": 0.12345678901234567891}}',
        "digits",
    ),
    "NaN": ('{"type": "page", "userId": "u", "properties": {"n": NaN}}', "number `NaN`: is none in JSON"),
    "a time without zone": ('{"type": "page", "userId": "u", "timestamp": "2024-01-01T00:00:00"}', "time: is"),
    "a number for a text": ('{"type": "page", "userId": "u", "name": 5}', "name: is a int, wanted text"),
    "half a surrogate pair": ('{"type": "page", "userId": "\\ud800"}', "user_id: holds half of a surrogate pair"),
    "nobody": ('{"type": "page"}', "user_id: is empty and so is anonymous_id"),
    "a long id": ('{"type": "page", "userId": "u", "messageId": "%s"}' % ("x" * 101), "event_id: is 101 characters"),
    "an unknown datafile": ('{"kind": "page", "user_id": "u", "datafile": "nope"}', "DATAFILE_NOT_FOUND"),
}


def test_wrong_lines_are_named_and_cost_no_other(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[Mapping[str, Any] | str] = []
    for number, (line, _) in enumerate(WRONG.values()):
        lines += [track(number), line]
    file, rejected = history(tmp_path, [*lines, ""]), tmp_path / "rejected.jsonl"
    assert run(daemon, file, "--rejected", rejected) == 1
    said = capsys.readouterr()
    complaints = said.err.splitlines()
    for place, (_, reason) in enumerate(WRONG.values()):
        assert complaints[place].startswith(f"{file}:{2 * place + 2}: ")
        assert reason in complaints[place]
    assert f"{len(WRONG)} events accepted, 0 of them repeats; {len(WRONG)} lines refused" in said.out
    assert sorted(rejected.read_text().splitlines()) == sorted(line for line, _ in WRONG.values())
    assert len(delivered(daemon)) == len(WRONG)


def test_more_wrong_lines_than_a_refusal_lists_are_all_found(daemon: Daemon, tmp_path: Path) -> None:
    lines: list[Mapping[str, Any] | str] = [
        track(n) if n % 3 == 0 else {"type": "page", "name": "x"} for n in range(500)
    ]
    rejected = tmp_path / "rejected.jsonl"
    assert run(daemon, history(tmp_path, lines), "--rejected", rejected) == 1
    assert len(rejected.read_text().splitlines()) == 333
    assert len(delivered(daemon)) == 167


def test_the_summary_as_json_names_outcomes_and_refused_lines(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(daemon, history(tmp_path, [track(1), track(1), "{"]), "--json") == 1
    assert json.loads(capsys.readouterr().out) == {
        "accepted": 2,
        "repeated": 1,
        "refused": 1,
        "refused_lines": [
            {"line": 3, "reason": "line: is no JSON at column 2: expecting property name enclosed in double quotes"}
        ],
        "outcomes": [{"destination": "console", "state": "QUEUED", "reason": "", "events": 2}],
        "left_out": {},
    }


def test_lines_without_an_id_are_not_doubled_when_they_are_imported_twice(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = {"type": "page", "userId": "u", "name": "Home"}
    file = history(tmp_path, [line, line, {**line, "name": "Cart"}])
    assert run(daemon, file) == 0
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(file.read_bytes())
    assert run(daemon, copy) == 0
    assert "3 events accepted, 3 of them repeats" in capsys.readouterr().out
    ids = [one["event_id"] for one in delivered(daemon)]
    assert len(ids) == len(set(ids)) == 3


def test_standard_input_is_a_history_too(daemon: Daemon, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sidecar", "import", "-", "--address", daemon.address],
        input=history(tmp_path, [track(1), track(2)]).read_bytes(),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert b"2 events accepted" in done.stdout
    assert len(delivered(daemon)) == 2


# --- going on ---------------------------------------------------------------------------------------------------------


def started(daemon: Daemon, file: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "sidecar", "import", str(file), "--address", daemon.address, "--batch", "20", *more],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("killed", ["the daemon", "the import"])
def test_a_kill_in_the_middle_loses_nothing_and_doubles_nothing(daemon: Daemon, tmp_path: Path, killed: str) -> None:
    lines = [{"type": "page", "userId": f"u-{n}", "name": "Home"} for n in range(20_000)]
    file = history(tmp_path, lines)
    importing = started(daemon, file, "--patience", "0")
    # The first events that were delivered show that the import is on its way.
    while not daemon.output:
        assert importing.poll() is None or daemon.output, importing.communicate()
    if killed == "the daemon":
        daemon.kill()
        assert importing.wait(60) == 1
        # What was being written when it was killed may be half a line.
        before = [json.loads(line)["user_id"] for line in daemon.output if line.endswith("}")]
        daemon.start()
    else:
        importing.send_signal(signal.SIGKILL)
        importing.wait(60)
        before = []
    importing.communicate()
    assert run(daemon, file, "--resume", "--quiet") == 0
    after = [one["user_id"] for one in delivered(daemon)]
    assert set(before) | set(after) == {line["userId"] for line in lines}
    # A killed daemon may deliver again what it had delivered and not yet noted; it accepts nothing twice.
    assert len(after) == len(set(after))


def test_a_file_that_grew_goes_on_behind_what_was_imported(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = history(tmp_path, [track(1), track(2)])
    assert run(daemon, file) == 0
    with file.open("a") as more:
        more.write(json.dumps(track(3)) + "\n")
    assert run(daemon, file, "--resume") == 0
    told = capsys.readouterr().out
    assert "1 events accepted, 0 of them repeats" in told
    assert "went on behind line 2" in told
    progress = import_progress.read(file)
    assert progress is not None
    assert (progress.line, progress.accepted) == (3, 3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda lines: ["{}", *lines[1:]], "begins with another line"),
        (lambda lines: [lines[0], lines[1].replace("u-2", "u-9")], "was changed before line 3"),
        (lambda lines: lines[:1], "is shorter than what was imported"),
    ],
)
def test_progress_of_another_file_is_not_gone_on_from(
    daemon: Daemon, tmp_path: Path, change: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = history(tmp_path, [track(1), track(2)])
    assert run(daemon, file) == 0
    file.write_text("".join(f"{line}\n" for line in change(file.read_text().splitlines())))
    assert run(daemon, file, "--resume") == 2
    assert reason in capsys.readouterr().err


def test_a_damaged_progress_is_named(daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = history(tmp_path, [track(1)])
    import_progress.path_of(file).write_text('{"line": "one"}')
    assert run(daemon, file, "--resume") == 2
    assert "is no progress of an import" in capsys.readouterr().err


def test_what_cannot_be_begun_is_told_with_2(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = history(tmp_path, [track(1)])
    assert run(daemon, tmp_path / "nowhere.jsonl") == 2
    assert run(daemon, file, "--batch", "501") == 2
    assert run(daemon, "-", "--resume") == 2
    assert run(daemon, file, "--datafile", "nope") == 2
    assert "no datafile has the name or SDK key `nope`" in capsys.readouterr().err
    assert delivered(daemon) == []


def test_what_could_not_be_kept_is_told_before_anything_is_imported(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = history(tmp_path, [track(1)])
    assert run(daemon, file, "--rejected", tmp_path / "nowhere" / "rejected.jsonl") == 2
    assert "rejected.jsonl` cannot be written: No such file or directory" in capsys.readouterr().err
    # As a volume that may only be read does: the draft of the progress cannot be made.
    import_progress.path_of(file).with_name(f"{file.name}.progress.new").mkdir()
    assert run(daemon, file) == 2
    said = capsys.readouterr().err
    assert "history.jsonl.progress` cannot be written: Is a directory" in said
    assert "standard input" in said
    assert delivered(daemon) == []


def test_nobody_who_answers_is_told_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = history(tmp_path, [track(1)])
    nobody = ["--address", f"unix:{tmp_path / 'nobody'}", "--timeout", "0.2", "--patience", "0"]
    assert main(["import", str(file), *nobody]) == 1
    assert "UNAVAILABLE" in capsys.readouterr().err
    progress = import_progress.read(file)
    assert progress is not None
    assert progress.line == 0


def test_a_full_outbox_is_waited_for_until_patience_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configuration = {"datafile": str(SHOP), "destinations": [WEBHOOK], "outbox": {"bytes_max": 20_000}, "drain": 0}
    file = history(tmp_path, [track(n) for n in range(1_000)])
    with Daemon(tmp_path / "daemon", configuration) as daemon:
        daemon.start()
        assert run(daemon, file, "--batch", "10", "--patience", "0") == 1
        assert "OUTBOX_FULL" in capsys.readouterr().err
        progress = import_progress.read(file)
        assert progress is not None
        assert 0 < progress.line < 1_000
        assert progress.accepted == progress.line
        daemon.stop()


def test_an_event_that_no_message_has_room_for_is_refused_alone(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Why not the real bound: it takes a gigabyte to cross it, a list of millions of small numbers.
    monkeypatch.setattr("sidecar.cli.import_session._EVENT_BYTES_MAX", 10_000)
    file = history(tmp_path, [track(1), track(2, properties={"list": [1] * 5_000}), track(3)])
    assert run(daemon, file, "--patience", "1") == 1
    said = capsys.readouterr().err
    assert "history.jsonl:2: event: is 2" in said
    assert "bytes, wanted at most 4194304" in said
    assert [event["event_id"] for event in delivered(daemon)] == ["m-1", "m-3"]
