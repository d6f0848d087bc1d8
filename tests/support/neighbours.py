"""Other callers while a peer misbehaves, and what the daemon holds in the meantime, read from outside of it."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc

from sidecar.pb import decision_pb2
from tests.support.daemon import Daemon

DECIDE = "/sidecar.v1.DecisionService/Decide"
_MIB_KIB = 1024


def decide_request(user_id: str = "user-1") -> bytes:
    return decision_pb2.DecideRequest(user_id=user_id, flag_keys=["free_shipping"]).SerializeToString()


def decided(reply: bytes | None) -> bool:
    """Whether this is the answer to `decide_request`."""
    if reply is None:
        return False
    return [one.flag_key for one in decision_pb2.DecideResponse.FromString(reply).decisions] == ["free_shipping"]


def with_large_flag(datafile: Path) -> dict[str, Any]:
    """A datafile with one more flag, `large`, whose decision takes 60 KB: a few bytes in, many out."""
    document: dict[str, Any] = json.loads(datafile.read_text())
    text = {"id": "large_text", "key": "text", "type": "string", "defaultValue": "x" * 60_000}
    flag = {"id": "large", "key": "large", "experimentIds": [], "rolloutId": "", "variables": [text]}
    document["featureFlags"].append(flag)
    return document


def many_request(users: int, flag_key: str = "large") -> bytes:
    """Of a DecideMany for so many users."""
    named = [decision_pb2.DecideManyUser(user_id=f"user-{number}") for number in range(users)]
    return decision_pb2.DecideManyRequest(users=named, flag_keys=[flag_key]).SerializeToString()


class Neighbour(threading.Thread):
    """An honest caller with a connection of its own, one call after another until it is told to stop."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__(daemon=True)
        self._daemon, self._enough = daemon, threading.Event()
        self._one_more = threading.Condition()
        self.took_s: list[float] = []
        self.failures: list[str] = []

    def run(self) -> None:
        with self._daemon.channel() as channel:
            call: Any = channel.unary_unary(DECIDE)
            while not self._enough.is_set():
                began_s = time.monotonic()
                try:
                    reply = call(decide_request(), timeout=30.0)
                    if not decided(reply):
                        self.failures.append(f"a wrong answer: {reply!r}")
                except grpc.RpcError as failed:
                    self.failures.append(str(failed))
                with self._one_more:
                    self.took_s.append(time.monotonic() - began_s)
                    self._one_more.notify_all()
                # Why: it must not be the load.
                self._enough.wait(0.002)

    def until_one_more(self) -> None:
        """Wait for a call that begins from now on."""
        with self._one_more:
            wanted = len(self.took_s) + 2
            assert self._one_more.wait_for(lambda: len(self.took_s) >= wanted, 60.0), "nobody else is answered"

    def stop(self) -> None:
        self._enough.set()
        self.join(60.0)


@contextlib.contextmanager
def neighbour(daemon: Daemon) -> Iterator[Neighbour]:
    """Somebody who is answered all the while, and at the end; fails when one call is not."""
    one = Neighbour(daemon)
    one.start()
    one.until_one_more()
    try:
        yield one
        one.until_one_more()
    finally:
        one.stop()
    assert not one.failures, one.failures[:3]


class Memory:
    """Resident memory of a process, and the most that it was since it was last asked to forget."""

    def __init__(self, pid: int) -> None:
        self._process = Path(f"/proc/{pid}")
        self.forget_peak()
        self.before_mib = self.resident_mib()

    def forget_peak(self) -> None:
        """Source: proc_pid_clear_refs(5), value 5."""
        (self._process / "clear_refs").write_text("5")

    def resident_mib(self) -> float:
        return self._field("VmRSS")

    def peak_added_mib(self) -> float:
        """What it held at most beyond what it held when this began."""
        return self._field("VmHWM") - self.before_mib

    def descriptors(self) -> int:
        return len(list((self._process / "fd").iterdir()))

    def _field(self, wanted: str) -> float:
        for line in (self._process / "status").read_text().splitlines():
            name, _, kib = line.partition(":")
            if name == wanted:
                return int(kib.split()[0]) / _MIB_KIB
        raise KeyError(wanted)
