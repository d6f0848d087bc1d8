"""Watches on directories, shared by all file sources: one watchdog observer, made by `app`.

Names are filtered here, so that a busy directory (`/tmp`) does not cause reads; events that our own reads
cause (open, close without a write) are never asked for. Its threads call `Poke`s and touch nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from threading import Lock

import structlog
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from sidecar.sources.file import Poke, WatchPoints

_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileAttribEvent,
    FileMovedEvent,
    FileDeletedEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]


class _Watch(FileSystemEventHandler):
    """One watched directory: who wants to know of which names in it.

    `alive` goes false when the directory itself is deleted: its watch is then void, even if a directory of
    the same path (and, on ext4, often of the same inode) is there again.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.inode = os.stat(directory).st_ino  # noqa: PTH116 - a path of the kernel's, compared as it is
        self.alive = True
        # Replaced as a whole, never changed: the observer's thread reads it without a lock.
        self.followers: Mapping[Poke, frozenset[str]] = {}
        self.scheduled: ObservedWatch | None = None

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Poke those whose names are concerned; all of them when the directory is gone."""
        paths = {os.fsdecode(event.src_path), os.fsdecode(event.dest_path)}
        if self.directory in paths:
            self.alive = self.alive and event.event_type not in {"deleted", "moved"}
        names = {os.path.basename(path) for path in paths}  # noqa: PTH119 - one per event, and the path may be ""
        for poke, wanted in self.followers.items():
            if self.directory in paths or not wanted.isdisjoint(names):
                poke()


class DirectoryWatches:
    """The watches of all file sources. Its methods block (they join threads): call them off the loop."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()
        self._lock = Lock()
        self._wanted: dict[Poke, WatchPoints] = {}
        self._watches: dict[str, _Watch] = {}
        self._failed = False
        self._closed = False
        self._observer = Observer()
        self._observer.start()

    def follow(self, poke: Poke, points: WatchPoints) -> bool:
        """Watch exactly these places for a follower, in place of those before.

        False when a directory vanished before it was watched. When the kernel refuses (too many watches),
        that is logged once and True is returned: looking again would not help, the source's poll does.
        """
        with self._lock:
            if self._closed:
                return True
            self._wanted[poke] = points
            return self._arrange()

    def leave(self, poke: Poke) -> None:
        """Watch nothing for a follower. Idempotent."""
        with self._lock:
            if self._wanted.pop(poke, None) is not None and not self._closed:
                self._arrange()

    def close(self) -> None:
        """Stop the observer and wait for its threads, which takes up to 0.5 s. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._observer.stop()
        self._observer.join()

    def _arrange(self) -> bool:
        """Make the watches what the followers want; called with the lock held."""
        followers: dict[str, dict[Poke, frozenset[str]]] = {}
        for poke, points in self._wanted.items():
            for directory, names in points.items():
                followers.setdefault(directory, {})[poke] = names
        for directory, watch in list(self._watches.items()):
            if directory not in followers or not watch.alive or _inode(directory) != watch.inode:
                self._drop(watch)
        complete = True
        for directory, wanted in followers.items():
            found = self._watches.get(directory) or self._place(directory)
            if found is None:
                complete = self._failed
            else:
                found.followers = wanted
        return complete

    def _place(self, directory: str) -> _Watch | None:
        try:
            watch = _Watch(directory)
            watch.scheduled = self._observer.schedule(watch, directory, event_filter=_EVENTS)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if not self._failed:
                self._failed = True
                self._log.warning("watch_failed", directory=directory, error=str(error), fallback="poll")
            return None
        self._watches[directory] = watch
        return watch

    def _drop(self, watch: _Watch) -> None:
        del self._watches[watch.directory]
        if watch.scheduled is not None:
            self._observer.unschedule(watch.scheduled)


def _inode(directory: str) -> int:
    try:
        return os.stat(directory).st_ino  # noqa: PTH116 - as in `_Watch`
    except OSError:
        return 0
