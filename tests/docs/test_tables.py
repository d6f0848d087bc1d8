"""The tables of the documentation hold what the code does, nothing more and nothing less."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from sidecar.app import configured
from sidecar.pb import decision_pb2, tracking_pb2
from sidecar.rpc import refusals
from tests.docs.reading import blocks, page, rows, section, trees, words
from tests.support.daemon import Daemon
from tools.checks.tree import ROOT

LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error"}


def calls(*below: str) -> Iterator[ast.Call]:
    for tree in trees(*below):
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)


def refusals_in_the_code() -> set[tuple[str, str]]:
    known = {(code.name, reason) for code, reason in refusals._TABLE.values()}
    for call in calls("rpc"):
        match call:
            case ast.Call(
                func=ast.Name(id="refusal"),
                args=[ast.Attribute(value=ast.Name(id="Code"), attr=code), ast.Constant(value=str(reason)), *_],
            ):
                known.add((code, reason))
            case _:
                pass
    return known


def test_the_table_of_errors_is_the_one_in_the_code() -> None:
    documented = [(words(row[0])[0], words(row[1])[0]) for row in rows(section("docs/errors.md", "The table"))]

    assert sorted(documented) == sorted(refusals_in_the_code())


def logged_in_the_code() -> set[tuple[str, str]]:
    found = set()
    for call in calls():
        match call:
            case ast.Call(func=ast.Attribute(attr=method), args=[ast.Constant(value=str(event)), *_]) if (
                method in LEVELS and re.fullmatch(r"[a-z]+(_[a-z]+)*", event)
            ):
                found.add((event, LEVELS[method]))
            case _:
                pass
    return found


def logged_in_the_docs() -> set[tuple[str, str]]:
    found = set()
    for event_cell, level_cell, *_ in rows(section("docs/operations.md", "Log")):
        events, levels = words(event_cell), level_cell.split(", ")
        pairs = zip(events, levels if len(levels) > 1 else levels * len(events), strict=True)
        found |= set(pairs)
    return found


def test_every_event_of_the_log_is_documented_with_its_level() -> None:
    assert logged_in_the_code() - logged_in_the_docs() == set()


def test_no_event_is_documented_that_is_never_logged() -> None:
    constants = {node.value for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Constant)}

    assert {event for event, _ in logged_in_the_docs()} <= constants


@pytest.fixture(scope="module")
def exposition(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `/metrics` says after a decision, an event and an error."""
    configuration = {
        "datafile": str(ROOT / "examples" / "shop.json"),
        "exposures": {"remember": True},
        "profiles": {"store": "memory"},
        "destinations": [
            {"name": "console", "type": "stdout"},
            {
                "name": "segment",
                "type": "segment",
                "endpoint": "http://127.0.0.1:9/",
                "write_key": "k",
                "impressions": True,
            },
        ],
    }
    with Daemon(tmp_path_factory.mktemp("daemon"), configuration) as daemon:
        daemon.start()
        decide = decision_pb2.DecideRequest(user_id="user-1")
        track = tracking_pb2.TrackRequest(user_id="user-1", event_key="purchase")
        daemon.call("/sidecar.v1.DecisionService/Decide", decide, decision_pb2.DecideResponse)
        daemon.call("/sidecar.v1.TrackingService/Track", track, tracking_pb2.TrackResponse)
        with pytest.raises(Exception, match="INVALID_ARGUMENT"):
            daemon.call("/sidecar.v1.TrackingService/Track", tracking_pb2.TrackRequest(), tracking_pb2.TrackResponse)
        with urlopen(f"http://{daemon.http}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
        assert daemon.stop() == 0
    return text


def metrics_in_the_docs() -> dict[str, list[str]]:
    return {words(row[0])[0]: words(row[1]) for row in rows(section("docs/operations.md", "Metrics"))}


def test_every_metric_is_documented_and_exposed(exposition: str) -> None:
    exposed = re.findall(r"^# HELP (sidecar_\w+)", exposition, re.MULTILINE)

    assert sorted(metrics_in_the_docs()) == sorted(exposed)


def test_metrics_have_the_labels_that_are_documented(exposition: str) -> None:
    documented = metrics_in_the_docs()
    samples = re.findall(r"^(sidecar_\w+)(?:\{(.*)\})? ", exposition, re.MULTILINE)
    seen = {name: re.findall(r'(\w+)="', labels) for name, labels in samples}

    assert {"sidecar_calls_total", "sidecar_call_errors_total", "sidecar_event_outcomes_total"} <= set(seen)
    assert {name: sorted(labels) for name, labels in seen.items()} == {name: sorted(documented[name]) for name in seen}


def test_every_command_is_documented() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "sidecar", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    commands = set(re.findall(r"^ {4}(\w+) ", said, re.MULTILINE))
    documented = {words(row[0])[0].split()[1] for row in rows(section("docs/operations.md", "Commands"))}

    assert "serve" in commands
    assert documented - {"--version"} == commands


def test_every_decision_is_in_the_index_once_and_has_a_number_of_its_own() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    linked = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", page("docs/decisions/README.md"))

    assert linked == names
    assert len({name[:4] for name in names}) == len(names)


def test_every_decision_says_in_its_heading_which_it_is() -> None:
    for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"):
        assert path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]}"), path.name


def test_the_example_of_the_configuration_page_is_a_configuration(tmp_path: Path) -> None:
    (example,) = [block.text for block in blocks("docs/configuration.md") if block.language == "yaml"]
    (tmp_path / "sidecar.yaml").write_text(example)

    read = configured.load({}, {}, tmp_path / "sidecar.yaml")

    assert [one.name for one in configured.datafiles_of(read)] == list(yaml.safe_load(example)["datafiles"])
    assert [one.type for one in configured.destinations_of(read)] == ["optimizely", "segment", "webhook"]


def test_a_socket_mode_without_quotes_is_what_it_looks_like(tmp_path: Path) -> None:
    (tmp_path / "sidecar.yaml").write_text("socket_mode: 0660\n")

    assert configured.load({}, {}, tmp_path / "sidecar.yaml").socket_mode == "0660"
