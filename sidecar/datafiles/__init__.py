"""Keeps the current snapshot of each configured datafile, whatever its source does.

`current.py` is the act (`Datafiles`), `entry.py` the service of one datafile, `build.py` makes a snapshot of
a body, `last_good.py` keeps the copy on disk, `snapshot.py` holds the values. Nothing here knows what a
source is made of, how a datafile is parsed or what a reply looks like: sources, `load` and codec are given.
Rules: docs/architecture.md "Datafile"; choices: docs/decisions/0020-datafile-reload.md.
"""

from sidecar.datafiles.build import Slices
from sidecar.datafiles.current import Datafiles
from sidecar.datafiles.last_good import LastGood
from sidecar.datafiles.snapshot import DatafileStats, DatafileStatus, NamedSource, Snapshot

__all__ = ["DatafileStats", "DatafileStatus", "Datafiles", "LastGood", "NamedSource", "Slices", "Snapshot"]
