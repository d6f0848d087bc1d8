"""Each change of the datafile, told as it comes into force: `python watch.py [ADDRESS] [COUNT]`."""

from __future__ import annotations

import sys
from itertools import islice

import sidecar_client


def main(address: str, count: int | None) -> None:
    """Print the revision in force, then each change, over restarts of the sidecar, until interrupted."""
    with sidecar_client.connect(address) as client:
        for change in islice(client.watch(), count):
            print(f"revision {change.revision} from {change.source}", flush=True)


if __name__ == "__main__":
    given = [*sys.argv[1:], sidecar_client.DEFAULT_ADDRESS][0]
    main(given, int(sys.argv[2]) if sys.argv[2:] else None)
