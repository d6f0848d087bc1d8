"""The two migration guides, run: their snippets against a daemon and a collector, their settings by the real reader.

A page's Python snippets share one namespace, in the order of the page, as a reader would type them. What a page shows
as arriving must be part of what the collector got.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar import config
from sidecar.app import settings as schema
from tests.collector.server import Collector
from tests.docs.reading import RUNS, Block, blocks, page
from tests.support.daemon import Daemon
from tools.checks.tree import ROOT

SEGMENT, OPTIMIZELY = "docs/coming-from-segment.md", "docs/coming-from-optimizely.md"
PAGES = [SEGMENT, OPTIMIZELY]
ADDRESS = "127.0.0.1:8013"
ARRIVES, FILE = "arrives at ", "file: "


class Receiving:
    """A collector in a thread of its own: the snippets block, as a reader's do."""

    def __init__(self) -> None:
        self.collector = Collector()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._await(self.collector.start())

    def _await(self, waiting: Any) -> None:
        waited: Future[None] = asyncio.run_coroutine_threadsafe(waiting, self._loop)
        waited.result(10)

    def close(self) -> None:
        self._await(self.collector.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def messages(self) -> dict[str, list[Any]]:
        """What arrived, by destination: Segment's messages, Optimizely's visitors."""
        bodies = [request.json() for request in self.collector.taken]
        return {
            "segment": [each for body in bodies for each in body.get("batch", ())],
            "optimizely": [each for body in bodies for each in body.get("visitors", ())],
        }


@pytest.fixture(scope="module")
def receiving() -> Iterator[Receiving]:
    receiving = Receiving()
    yield receiving
    receiving.close()


def set_up(path: str, receiving: Receiving, directory: Path) -> Daemon:
    """The daemon of a page's first settings, with the example's datafile, delivering to the collector."""
    first = next(block for block in blocks(path) if block.language == "yaml")
    told = yaml.safe_load(first.text)
    for destination in told["destinations"]:
        destination["endpoint"] = receiving.collector.url
    told["datafiles"] = {"default": {"path": str(ROOT / "examples" / "shop.json")}}
    return Daemon(directory, told)


def on_this_machine(text: str, daemon: Daemon) -> str:
    """A snippet with the address of this daemon, and this interpreter in place of `.venv`'s."""
    told = text.replace(ADDRESS, daemon.address)
    return told.replace(".venv/bin/sidecar", f"{shlex.quote(sys.executable)} -m sidecar")


def run_shell(text: str, directory: Path) -> None:
    for line in text.splitlines():
        done = subprocess.run(
            shlex.split(line),
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def run_page(path: str, daemon: Daemon, directory: Path) -> None:
    """Every block that runs, in order; a failure names the snippet."""
    namespace: dict[str, Any] = {}
    for number, block in enumerate(blocks(path)):
        if block.mark.startswith(FILE):
            (directory / block.mark.removeprefix(FILE)).write_text(block.text)
        elif block.language == "python" and block.mark == RUNS:
            code = compile(on_this_machine(block.text, daemon), f"{path} block {number}", "exec")
            exec(code, namespace)  # noqa: S102 - the page's own snippet
        elif block.language == "sh" and block.mark == RUNS:
            run_shell(on_this_machine(block.text, daemon), directory)
    namespace["client"].close()


def holds(got: Any, wanted: Any) -> bool:
    """Whether what is shown is part of what came: of an object its members, of a list its elements."""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(key in got and holds(got[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(got, list) and all(any(holds(one, other) for one in got) for other in wanted)
    return bool(got == wanted)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.timeout(120)
def test_every_snippet_runs_and_what_is_shown_arrives(path: str, receiving: Receiving, tmp_path: Path) -> None:
    receiving.collector.received.clear()
    with set_up(path, receiving, tmp_path / "daemon") as daemon:
        daemon.start()
        run_page(path, daemon, tmp_path)
        # The stop drains: what was accepted is delivered before it ends.
        assert daemon.stop() == 0
    arrived = receiving.messages
    for block in (each for each in blocks(path) if each.mark.startswith(ARRIVES)):
        destination, wanted = block.mark.removeprefix(ARRIVES), json.loads(block.text)
        assert any(holds(got, wanted) for got in arrived[destination]), f"{wanted}\nis not in\n{arrived[destination]}"


def test_an_event_sent_again_arrives_once(receiving: Receiving) -> None:
    """After the page of Optimizely has run: its offline event is tracked twice."""
    events = [
        event
        for visitor in receiving.messages["optimizely"]
        for snapshot in visitor["snapshots"]
        for event in snapshot["events"]
    ]
    assert [event["key"] for event in events].count("sign_up") == 1


def settings() -> list[Any]:
    return [
        pytest.param(block.text, id=f"{Path(path).stem}-{number}")
        for path in PAGES
        for number, block in enumerate(each for each in blocks(path) if each.language == "yaml")
    ]


@pytest.mark.parametrize("text", settings())
def test_every_settings_file_is_one_that_the_daemon_takes(text: str) -> None:
    config.read(schema.Settings, yaml.safe_load(text))


def marked(block: Block) -> bool:
    return block.mark == RUNS or block.mark.startswith((ARRIVES, FILE))


@pytest.mark.parametrize("path", PAGES)
def test_every_block_runs_or_is_looked_for(path: str) -> None:
    assert [block.text for block in blocks(path) if not marked(block)] == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (SEGMENT, "Size Interval FlushAt FlushAfter Endpoint Verbose DEBUG Logger Callback gzip timeout max_retries"),
        (SEGMENT, "max_queue_size sync_mode on_error send upload_size upload_interval DefaultContext proxies shutdown"),
        (SEGMENT, "identify track page screen group alias context integrations timestamp flush anonymous_id"),
        (OPTIMIZELY, "activate get_variation is_feature_enabled get_enabled_features set_forced_variation track"),
        (OPTIMIZELY, "decide decide_for_keys decide_all create_user_context set_forced_decision track_event revenue"),
        (
            OPTIMIZELY,
            "DECISION TRACK LOG_EVENT OPTIMIZELY_CONFIG_UPDATE user_profile_service batch_size flush_interval",
        ),
        (OPTIMIZELY, "flush_interval update_interval close default_decide_options error_handler event_dispatcher"),
    ],
)
def test_a_page_has_each_call_and_option_of_what_it_replaces(path: str, words: str) -> None:
    text = page(path)
    assert [word for word in words.split() if word not in text] == []
