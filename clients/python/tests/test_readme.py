"""The README's snippets run, in the order of the page, against a scripted sidecar."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from clients.python.tests.scripted import Listening

README = (Path(__file__).parents[1] / "README.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
NEEDED = """
from datetime import datetime

def retry_later(*_, **__): ...

def checkout(client):
    client.user("u").track("purchase")
    return "one step"
"""
"""What the page leaves to its reader's code."""


def test_the_page_has_the_samples_that_every_client_has() -> None:
    headings = re.findall(r"^## (.*)$", README, re.MULTILINE)
    assert {"First decision", "First event", "When something fails", "Testing your code"} <= set(headings)


def test_every_snippet_compiles() -> None:
    for snippet in SNIPPETS:
        compile(snippet, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_the_snippets_run_in_order(listening: Listening, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, Any] = {}
    exec(NEEDED, namespace)  # noqa: S102 - the code around the page's snippets
    for snippet in SNIPPETS:
        if "await " in snippet:
            continue  # its names are those of the blocking client: test_aio
        exec(snippet.replace("127.0.0.1:8013", listening.address), namespace)  # noqa: S102 - the page's own
    namespace["test_express_checkout_has_one_step"]()
    namespace["client"].close()
    requests = listening.script.requests
    assert [each.revenue.amount for each in requests["Track"]] == ["19.90", ""]
    assert [[event.track.event_id for event in each.events] for each in requests["Import"]] == [["order-1", "order-2"]]
    assert "2 0 ()" in capsys.readouterr().out
