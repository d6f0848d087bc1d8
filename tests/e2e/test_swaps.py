"""The datafile is swapped again and again under callers: no call fails, no answer mixes two revisions.

`make swaps` runs the long form; `-s` shows the numbers.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import Any

from tests.e2e.scene import Scene, decide, shop

SWAPS = int(os.environ.get("SWAPS", "60"))
CALLERS = 16
KINDS = ("even", "odd")


def marked(kind: str) -> dict[str, Any]:
    """The example datafile in which every answer shows its revision: a variable of every flag holds it."""

    def mark(datafile: dict[str, Any]) -> None:
        for flag in datafile["featureFlags"]:
            flag["variables"].append({"id": f"{flag['id']}9", "key": "made", "type": "string", "defaultValue": kind})

    return shop(kind, mark)


async def call(scene: Scene, number: int, seen: Counter[str], stop: asyncio.Event) -> None:
    """Decide every flag until told to stop; each answer must belong to one revision as a whole."""
    async with scene.channel(unix=number % 2 == 1) as channel:
        while not stop.is_set():
            answer = await decide(channel, f"user-{number}-{seen.total()}")
            made = {decision.variables["made"].string_value for decision in answer.decisions}
            assert made == {answer.revision}, "an answer mixed two revisions"
            seen[answer.revision] += 1


async def test_no_call_fails_and_no_answer_mixes_revisions_while_the_datafile_is_swapped_under_16_callers(
    scene: Scene,
) -> None:
    scene.publish(marked(KINDS[0]))
    await scene.start_beside()
    seen: Counter[str] = Counter()
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(CALLERS):
            group.create_task(call(scene, number, seen, stop))
        for swap in range(1, SWAPS + 1):
            wanted = KINDS[swap % 2]
            before = seen[wanted]
            scene.publish(marked(wanted))
            async with asyncio.timeout(5):
                while seen[wanted] == before:
                    await asyncio.sleep(0.005)
        stop.set()
    print(f"\nswaps {SWAPS}, callers {CALLERS}, answers {dict(seen)}, failed 0, mixed 0")  # noqa: T201 - the numbers are what the test is read for
    assert set(seen) == set(KINDS)
