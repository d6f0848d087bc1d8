"""The native transport where it is not like grpcio: threads that read for each other, and a wire that misbehaves."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from clients.python.tests.scripted import Listening
from sidecar_client import ClientClosed, DeadlinePassed, Refused, SidecarError, Unavailable, aio, connect
from sidecar_client.settings import Settings
from sidecar_client.transport import WireFailure

TRANSPORTS = ["native"]
ROOT = Path(__file__).parents[3]
DECIDE = "/sidecar.v1.DecisionService/Decide"


@pytest.fixture
def stuttering(listening: Listening) -> Iterator[str]:
    """The address of a proxy that passes the sidecar's bytes on one by one."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=_stutter, args=(server, listening.address), daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _stutter(server: socket.socket, address: str) -> None:
    host, _, port = address.rpartition(":")
    with suppress(OSError):
        near, _ = server.accept()
        far = socket.create_connection((host, int(port)))
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_pass_on, args=(near, far, 4096), daemon=True).start()
        _pass_on(far, near, 1)


def _pass_on(source: socket.socket, sink: socket.socket, chunk_bytes: int) -> None:
    with suppress(OSError):
        while chunk := source.recv(chunk_bytes):
            sink.sendall(chunk)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def test_a_reply_that_comes_byte_by_byte_is_whole(stuttering: str) -> None:
    with connect(stuttering, strict=True, decide_timeout_s=5) as client:
        assert client.user("u1", {"text": "x" * 500}).decide("a").variables.string("text") == "x" * 500


async def test_a_reply_that_comes_byte_by_byte_is_whole_for_asyncio(stuttering: str) -> None:
    async with aio.connect(stuttering, strict=True, decide_timeout_s=5) as client:
        assert (await client.user("u1").decide("a")).variation_key == "on"


def test_a_client_of_the_native_transport_loads_no_grpcio(listening: Listening) -> None:
    program = (
        "import sys, sidecar_client; c = sidecar_client.connect(sys.argv[1], strict=True, decide_timeout_s=5);"
        "c.user('u1').decide('a'); print('grpc' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients/python/src")}
    ran = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", program, listening.address], env=environment, capture_output=True, check=False
    )
    assert ran.stdout == b"False\n", ran.stderr


def test_one_that_leaves_hands_the_reading_to_one_that_waits(listening: Listening) -> None:
    with connect(listening.address, strict=True) as client, ThreadPoolExecutor(2) as threads:
        listening.script.hold.clear()
        impatient = threads.submit(client.user("u1").decide, "a", timeout_s=0.3)
        assert listening.script.entered.wait(5)
        patient = threads.submit(client.user("u2").decide, "b", timeout_s=10)
        with pytest.raises(DeadlinePassed):
            impatient.result(5)
        listening.script.hold.set()
        assert patient.result(5).flag_key == "b"


def test_calls_are_answered_while_a_watch_waits_for_a_change(listening: Listening) -> None:
    with connect(listening.address, strict=True, decide_timeout_s=5) as client, ThreadPoolExecutor(1) as threads:
        changes = iter(client.watch())
        listening.script.changes.put("41")
        assert next(changes).revision == "41"
        waiting = threads.submit(next, changes)
        decided = [client.user("u1").decide("a").variation_key for _ in range(20)]
        listening.script.changes.put("42")
        assert (set(decided), waiting.result(5).revision) == ({"on"}, "42")


def test_64_threads_get_each_its_own_answer(listening: Listening) -> None:
    with connect(listening.address, strict=True, decide_timeout_s=20) as client, ThreadPoolExecutor(64) as threads:

        def decided(number: int) -> int:
            return client.user("u1", {"n": number}).decide("a").variables.integer("n")

        assert list(threads.map(decided, range(640))) == list(range(640))


def test_close_ends_calls_of_reader_and_followers(listening: Listening) -> None:
    client = connect(listening.address, strict=True, decide_timeout_s=20)
    listening.script.hold.clear()
    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(client.user("u1").decide, "a") for _ in range(3)]
        assert listening.script.entered.wait(5)
        client.close()
        for call in calls:
            with pytest.raises(ClientClosed):
                call.result(5)
    listening.script.hold.set()


def test_a_sidecar_that_stands_still_costs_a_call_its_deadline_and_no_more() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with connect(address, strict=True) as client, pytest.raises(DeadlinePassed):
            client.user("u1").decide("a", timeout_s=0.1)


def test_a_reply_beyond_its_bound_is_refused(listening: Listening) -> None:
    with connect(listening.address, strict=True, decide_timeout_s=5, reply_bytes_max=1000) as client:
        with pytest.raises(Refused):
            client.user("u1", {"text": "x" * 2000}).decide("a")
        assert client.user("u1").decide("a").variation_key == "on"


def test_a_large_request_and_its_large_reply_pass(listening: Listening) -> None:
    text = "x" * 3_000_000
    with connect(listening.address, strict=True, decide_timeout_s=20) as client:
        assert client.user("u1", {"text": text}).decide("a").variables.string("text") == text


async def test_a_large_request_and_its_large_reply_pass_for_asyncio(listening: Listening) -> None:
    text = "x" * 3_000_000
    async with aio.connect(listening.address, strict=True, decide_timeout_s=20) as client:
        assert (await client.user("u1", {"text": text}).decide("a")).variables.string("text") == text


def test_a_call_that_fails_to_connect_is_not_followed_by_a_try_at_once() -> None:
    from sidecar_client._native import NativeTransport  # noqa: PLC0415 - the codec may be absent

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    transport = NativeTransport(Settings(address=address))
    messages = []
    for _ in range(2):
        with pytest.raises(WireFailure) as failed:
            transport.unary(DECIDE, b"", timeout_s=1)
        messages.append((failed.value.code, failed.value.message))
    assert messages == [("UNAVAILABLE", f"no sidecar at {address}: Connection refused")] * 2
    transport.close()


class Daemon:
    """The daemon of this repository on a Unix socket."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.address = f"unix:{directory / 's'}"
        self.process = self._started()

    def _started(self) -> subprocess.Popen[str]:
        listen = ["--grpc-listen", self.address, "--http-listen", "127.0.0.1:0", "--stop-delay", "0"]
        listen += ["--data-dir", str(self._directory)]
        process = subprocess.Popen(  # noqa: S603 - the daemon
            [sys.executable, "-m", "sidecar", "serve", "--config", "examples/run.yaml", *listen],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        while "datafile_applied" not in (line := process.stdout.readline()):
            assert line, "the daemon ended"
        return process

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.communicate(timeout=20)

    def start(self) -> None:
        self.process = self._started()


@pytest.fixture
def killable(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path)
    yield daemon
    if daemon.process.poll() is None:
        daemon.end(signal.SIGTERM)


def test_calls_around_a_graceful_restart_are_answered_or_unavailable(killable: Daemon) -> None:
    accepted: list[str] = []
    failed: list[str] = []
    stop = threading.Event()
    with connect(killable.address) as client, ThreadPoolExecutor(4) as threads:

        def track(number: int) -> None:
            while not stop.is_set():
                try:
                    accepted.append(client.user(f"u{number}").track("purchase", timeout_s=30).event_id)
                except SidecarError as error:
                    failed.append(error.code)

        running = [threads.submit(track, number) for number in range(4)]
        try:
            _until(lambda: len(accepted) >= 20)
            killable.end(signal.SIGTERM)
            before = len(accepted)
            killable.start()
            _until(lambda: len(accepted) >= before + 20)
        finally:
            stop.set()
        assert [each.result(40) for each in running] == [None] * 4
    assert len(set(accepted)) == len(accepted)
    assert set(failed) <= {"UNAVAILABLE"}


def test_no_call_under_way_is_lost_in_a_graceful_restart(killable: Daemon) -> None:
    from sidecar_client._native import NativeTransport  # noqa: PLC0415 - the codec may be absent

    answered: list[bytes] = []
    failed: list[WireFailure] = []
    stop = threading.Event()
    with closing(NativeTransport(Settings(address=killable.address))) as transport, ThreadPoolExecutor(4) as threads:

        def ask() -> None:
            while not stop.is_set():
                try:
                    # One try: nothing here sends a call again that the sidecar may have begun.
                    answered.append(transport.unary(DECIDE, b"\x0a\x02u1", timeout_s=10))
                except WireFailure as failure:
                    failed.append(failure)
                    stop.wait(0.01)

        running = [threads.submit(ask) for _ in range(4)]
        try:
            for _ in range(3):
                enough = len(answered) + 200
                _until(partial(_has, answered, enough))
                killable.end(signal.SIGTERM)
                killable.start()
            _until(lambda: len(failed) > 0)
        finally:
            stop.set()
        assert [each.result(20) for each in running] == [None] * 4
    # What failed found no sidecar to send it to, or was refused by one that stops, so it had not begun; or it was
    # answered: there is no datafile yet.
    told = {failure.message for failure in failed if failure.code != "FAILED_PRECONDITION"}
    assert told
    assert {text for text in told if not text.startswith(("no sidecar at ", "the sidecar is stopping"))} == set()


def _has(answered: list[bytes], enough: int) -> bool:
    return len(answered) >= enough


def _until(happened: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_killed_sidecar_fails_the_call_before_its_deadline(killable: Daemon) -> None:
    with connect(killable.address, strict=True) as client, ThreadPoolExecutor(1) as threads:
        client.user("u1").track("purchase", timeout_s=5)
        os.kill(killable.process.pid, signal.SIGSTOP)
        call = threads.submit(client.user("u1").decide, "a", timeout_s=30)
        time.sleep(0.1)  # so that it is under way; whether it is changes the error's text alone
        killable.end(signal.SIGKILL)
        with pytest.raises(Unavailable):
            call.result(10)


async def test_a_killed_sidecar_fails_the_call_of_asyncio(killable: Daemon) -> None:
    async with aio.connect(killable.address, strict=True) as client:
        await client.user("u1").track("purchase", timeout_s=5)
        os.kill(killable.process.pid, signal.SIGSTOP)
        call = asyncio.create_task(client.user("u1").decide("a", timeout_s=30))
        await asyncio.sleep(0)
        await asyncio.to_thread(killable.end, signal.SIGKILL)
        with pytest.raises(SidecarError) as failed:
            await call
    assert failed.value.code == "UNAVAILABLE"
