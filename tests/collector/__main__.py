"""The collector as a process, for tests that kill what talks to it.

    python -m tests.collector --port 0 --log FILE [--answers 503,429,200]

Prints `listening on URL`, appends one JSON object a request to FILE, answers the script and then 200, ends at
SIGTERM. While it runs, POST /_collector/script takes more lines: `[{"status": 503}, {"fault": "lose"}]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from tests.collector.server import Collector, Received, unzipped


async def serve(port: int, log: Path, answers: list[int]) -> None:
    collector = Collector()
    collector.answers(*answers)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with log.open("a", encoding="utf-8") as lines:

        def write(received: Received) -> None:
            entry = {
                "path": received.path,
                "headers": dict(received.headers),
                "status": received.answered.status,
                "taken": received.answered.takes,
                "body": unzipped(received).decode(errors="replace"),
            }
            lines.write(json.dumps(entry) + "\n")
            lines.flush()

        collector.listener = write
        collector.keep = False
        await collector.start(port)
        print(f"listening on {collector.url}", flush=True)  # noqa: T201 - how its parent learns the port
        await stop.wait()
        await collector.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.collector")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--answers", default="", help="statuses by comma, the first requests get")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.log, [int(status) for status in given.answers.split(",") if status]))


if __name__ == "__main__":
    main()
