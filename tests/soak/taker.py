"""The soak's collector, a process of its own: it takes events, and fails and recovers at random, by a seed.

    python -m tests.soak.taker --seed 1 --taken FILE

Prints `listening on URL`; appends the ids of the Tracks that it took to FILE, a line each. SIGUSR1 makes it well for
good, SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
from pathlib import Path
from typing import IO

import msgspec
from aiohttp import web

MOODS = ("well", "well", "well", "unavailable", "busy", "lost", "dropped", "slow")
MOOD_S = (0.3, 2.5)
"""The shortest and longest time that a mood lasts."""
SLOW_S = 0.3


class Event(msgspec.Struct):
    """What the soak wants to know of an event."""

    kind: str
    event_id: str = ""


class Taker:
    """Answers by its mood; what it takes it notes before it answers."""

    def __init__(self, seed: int, taken: IO[str]) -> None:
        self.mood = "well"
        self._random = random.Random(seed)
        self._taken = taken
        self._decoder = msgspec.json.Decoder(list[Event])

    async def change_moods(self, well_for_good: asyncio.Event) -> None:
        """Another mood now and then, until it is to be well."""
        while not well_for_good.is_set():
            self.mood = self._random.choice(MOODS)
            try:
                async with asyncio.timeout(self._random.uniform(*MOOD_S)):
                    await well_for_good.wait()
            except TimeoutError:
                continue
        self.mood = "well"

    async def take(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        body, mood = await request.read(), self.mood
        if mood == "unavailable":
            return web.Response(status=503)
        if mood == "busy":
            return web.Response(status=429, headers={"Retry-After": "1"})
        if mood != "dropped":
            ids = [event.event_id for event in self._decoder.decode(body) if event.kind == "track"]
            self._taken.write("".join(f"{one}\n" for one in ids))
            self._taken.flush()
        if mood == "slow":
            await asyncio.sleep(SLOW_S)
        if mood in ("lost", "dropped") and request.transport is not None:
            request.transport.close()
        return web.Response()


async def serve(seed: int, path: Path) -> None:
    loop = asyncio.get_running_loop()
    stop, well_for_good = asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, well_for_good.set)
    with path.open("a", encoding="ascii") as taken:
        taker = Taker(seed, taken)
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_post("/{path:.*}", taker.take)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)  # noqa: T201 - read by its parent
        async with asyncio.TaskGroup() as group:
            moods = group.create_task(taker.change_moods(well_for_good))
            await stop.wait()
            moods.cancel()
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.taker")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--taken", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(serve(given.seed, given.taken))


if __name__ == "__main__":
    main()
