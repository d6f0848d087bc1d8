"""The file `profiles.db`: its tables, the thread that owns it, and the group commit of what is asked in one go.

One thread has the one connection; the event loop hands it acts and gets futures. Acts that wait while the thread works
are run together, in order, in one transaction, so that many users at once cost little more than one. SQLite in WAL
without fsync: what was committed survives the process, also by kill -9, not a crash of the machine.
Why so: docs/decisions/0040-sticky-profiles.md.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, NamedTuple, TypeVar

import structlog

from sidecar.errors import ProfilesUnavailable, ProfilesUnopened

FILE_NAME: Final = "profiles.db"
SCHEMA_VERSION: Final = 1

_CACHE_KIB: Final = 4096
_JOURNAL_BYTES_MAX: Final = 8 * 1024 * 1024
_ACTS_MAX: Final = 1_000
"""Acts of one transaction, so that the first of them does not wait for long."""

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;

-- A change takes a new `entry_id`, so that their order is that of the last change, and of being forgotten.
CREATE TABLE profiles (
    entry_id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL, user_id TEXT NOT NULL, experiment_id TEXT NOT NULL, variation_id TEXT NOT NULL,
    UNIQUE (project_id, user_id, experiment_id)
);

CREATE TABLE forced_variations (
    entry_id INTEGER PRIMARY KEY,
    datafile TEXT NOT NULL, user_id TEXT NOT NULL, experiment_id TEXT NOT NULL, variation_id TEXT NOT NULL,
    UNIQUE (datafile, user_id, experiment_id)
);
"""

Answer = TypeVar("Answer")


class _Act(NamedTuple):
    """A function of the connection, and who waits for what it returns."""

    run: Callable[[sqlite3.Connection], Any]
    answered: asyncio.Future[Any]


class ProfileFile:
    """The file, open; made by `open`. Methods are called on the event loop's thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._acts: SimpleQueue[_Act | None] = SimpleQueue()
        self._closed = False
        # Why a daemon: a loop that dies without `close` must not keep the process; commits are safe on disk.
        self._thread = threading.Thread(target=self._run, name="profiles", daemon=True)
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()

    @classmethod
    async def open(cls, directory: Path) -> ProfileFile:
        """Open the file in a directory, or make it; a damaged one is set aside and a fresh one made.

        Raises `ProfilesUnopened`, also for a file that a newer release wrote.
        """
        file = cls(directory / FILE_NAME)
        file._thread.start()
        await file._opened
        return file

    def ask(self, run: Callable[[sqlite3.Connection], Answer]) -> asyncio.Future[Answer]:
        """Run a function on the thread, in a transaction; the future has its result once that is committed.

        The future fails with `ProfilesUnavailable` when the disk refuses. Acts are run in the order of being asked; one
        whose future is cancelled before that is passed over.
        """
        answered: asyncio.Future[Any] = self._loop.create_future()
        if self._closed:
            answered.set_exception(ProfilesUnavailable("sqlite", "it is closed"))
        else:
            self._acts.put(_Act(run, answered))
        return answered

    async def close(self) -> None:
        """Run what was asked before, close the file, end the thread. Idempotent."""
        if not self._closed:
            self._closed = True
            self._acts.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    # --- on the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            connection = _open(self._path)
        except (sqlite3.Error, OSError, ProfilesUnopened) as cause:
            unopened = cause if isinstance(cause, ProfilesUnopened) else ProfilesUnopened(str(self._path), str(cause))
            self._tell(lambda: self._opened.set_exception(unopened))
            return
        self._tell(lambda: self._opened.set_result(None))
        going_on = True
        while going_on:
            acts, going_on = self._next_acts()
            answers = _transact(connection, acts)
            self._tell(partial(_answer, acts, answers))
        connection.close()
        self._tell(lambda: self._ended.set_result(None))

    def _next_acts(self) -> tuple[list[_Act], bool]:
        """Wait for an act and take those behind it too; False = the file is to be closed after them."""
        acts: list[_Act] = []
        while not acts or (len(acts) < _ACTS_MAX and not self._acts.empty()):
            act = self._acts.get()
            if act is None:
                return acts, False
            acts.append(act)
        return acts, True

    def _tell(self, callback: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:
            # The loop is closed: nobody waits for this answer any more.
            return


def _transact(connection: sqlite3.Connection, acts: list[_Act]) -> list[Any]:
    """The result of each act, or its error; when one fails, each is run again in a transaction of its own."""
    answers: list[Any] = []
    try:
        connection.execute("BEGIN")
        answers.extend(None if act.answered.cancelled() else act.run(connection) for act in acts)
        connection.execute("COMMIT")
    except Exception as refused:  # noqa: BLE001 - the thread outlives any fault; who waits for it gets it
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if len(acts) > 1:
            # Why: a full disk refuses saves, and must not take the lookups with it.
            return [answer for act in acts for answer in _transact(connection, [act])]
        return [ProfilesUnavailable("sqlite", str(refused))]
    return answers


def _answer(acts: list[_Act], answers: list[Any]) -> None:
    for act, answer in zip(acts, answers, strict=True):
        if act.answered.done():
            continue
        if isinstance(answer, BaseException):
            act.answered.set_exception(answer)
        else:
            act.answered.set_result(answer)


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _opened(path)
    except sqlite3.DatabaseError as cause:
        if isinstance(cause, sqlite3.OperationalError):
            # Why: out of space or out of permission is no damage; the file is good once that is mended.
            raise
        aside = _set_aside(path)
        structlog.get_logger().error("profiles_set_aside", path=str(path), moved_to=str(aside), cause=str(cause))
        return _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES_MAX}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            connection.executescript(f"BEGIN; {_TABLES}")
            connection.execute("INSERT INTO meta VALUES ('schema', ?)", (SCHEMA_VERSION,))
            connection.execute("COMMIT")
        _check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("SELECT max(value) FROM meta WHERE key = 'schema'").fetchone()[0]
    if version is None:
        raise sqlite3.DatabaseError("`meta` has no schema")
    if version > SCHEMA_VERSION:
        cause = f"its schema version is {version}, wanted at most {SCHEMA_VERSION}: a newer release wrote it"
        raise ProfilesUnopened(str(path), cause)


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns() // 1_000_000}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside
