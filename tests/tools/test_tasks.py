"""Twin of tools/checks/tasks.py."""

import pytest

from tools.checks.tasks import find
from tools.checks.tree import Source


def lines(text: str, path: str = "sidecar/delivery.py") -> list[int]:
    return [finding.line for finding in find(Source(path=path, text=text))]


@pytest.mark.parametrize(
    "call",
    [
        "asyncio.create_task(c)",
        "create_task(c)",
        "asyncio.ensure_future(c)",
        "asyncio.get_running_loop().create_task(c)",
    ],
)
def test_a_task_that_nobody_owns_is_found(call: str) -> None:
    assert lines(f"import asyncio\n{call}\n") == [2]


@pytest.mark.parametrize(
    "text",
    [
        "async def f():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(c)\n",
        "def f(group: asyncio.TaskGroup):\n    group.create_task(c)\n",
        "class C:\n    _tasks: TaskGroup\n    def f(self):\n        self._tasks.create_task(c)\n",
    ],
)
def test_a_task_group_may_start_a_task_anywhere(text: str) -> None:
    assert lines(text) == []


def test_another_group_in_the_file_does_not_excuse_a_bare_task() -> None:
    text = "def f(group: asyncio.TaskGroup):\n    group.create_task(c)\n    asyncio.create_task(c)\n"

    assert lines(text) == [3]


@pytest.mark.parametrize("path", ["sidecar/app.py", "sidecar/app/life.py", "sidecar/transport/native.py"])
def test_the_root_and_the_transports_own_tasks(path: str) -> None:
    assert lines("asyncio.create_task(c)\n", path) == []
