"""What a forked child gets, in processes of their own: pytest's is full of gRPC's threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients.python.tests.scripted import Listening

PROGRAM = """
import os, sys, sidecar_client
client = sidecar_client.connect(sys.argv[1], decide_timeout_s=5)
user = client.user("u1")
if sys.argv[2] == "used":
    user.decide("parent")
child = os.fork()
if child == 0:
    decision = user.decide("child")
    print(decision.reason, *decision.reasons, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(user.decide("parent").reason)
"""
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def forked(address: str, parent: str, *, support: bool) -> list[str]:
    """What child and parent print, the parent having made a call before the fork (`used`) or not."""
    environment = {**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "1" if support else "0"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1] / "src")
    finished = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", PROGRAM, address, parent],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return finished.stdout.splitlines()


@pytest.mark.parametrize("support", [True, False])
def test_child_of_an_unused_client_connects(listening: Listening, *, support: bool) -> None:
    assert forked(listening.address, "unused", support=support) == ["BUCKETED because", "BUCKETED"]


def test_child_of_a_used_client_reconnects_with_fork_support(listening: Listening) -> None:
    assert forked(listening.address, "used", support=True) == ["BUCKETED because", "BUCKETED"]


def test_child_of_a_used_client_needs_fork_support_of_grpcio_alone(listening: Listening, transport: str) -> None:
    child, parent = forked(listening.address, "used", support=False)
    if transport == "native":
        assert (child, parent) == ("BUCKETED because", "BUCKETED")
        return
    assert child.startswith("SIDECAR_UNAVAILABLE")
    assert "GRPC_ENABLE_FORK_SUPPORT=1" in child
    assert parent == "BUCKETED"


DURING = """
import os, sys, threading, sidecar_client
client = sidecar_client.connect(sys.argv[1], decide_timeout_s=15)
user = client.user("u1")
print("answered", user.decide("before").reason, flush=True)
answers = []
call = threading.Thread(target=lambda: answers.append(user.decide("during").reason))
sys.stdin.readline()
call.start()
sys.stdin.readline()
child = os.fork()
if child == 0:
    print("child", user.decide("child").reason, flush=True)
    os._exit(0)
print("forked", flush=True)
os.waitpid(child, 0)
call.join()
print("parent", *answers, user.decide("after").reason, flush=True)
"""


def test_a_fork_during_a_call_leaves_it_to_the_parent(listening: Listening, transport: str) -> None:
    if transport != "native":
        pytest.skip("what gRPC's fork handlers do with a call under way is gRPC's own")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    with subprocess.Popen(  # noqa: S603 - the program above
        [sys.executable, "-c", DURING, listening.address],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stdout.readline() == "answered BUCKETED\n"
        listening.script.hold.clear()
        listening.script.entered.clear()
        print(file=program.stdin, flush=True)
        assert listening.script.entered.wait(10)
        print(file=program.stdin, flush=True)
        assert program.stdout.readline() == "forked\n"
        listening.script.hold.set()
        assert program.stdout.read().splitlines() == ["child BUCKETED", "parent BUCKETED BUCKETED"]


IDS = """
import os
from sidecar_client._stamps import new_id
new_id()
child = os.fork()
if child:
    os.waitpid(child, 0)
print(*[new_id()[14:] for _ in range(100)], flush=True)
"""


def test_parent_and_child_draw_different_ids() -> None:
    ran = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", IDS],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert len(set(ran.stdout.split())) == 200
