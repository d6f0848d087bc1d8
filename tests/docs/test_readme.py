"""The README's commands and snippets do what it says, against the daemon that `make run` starts."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from sidecar.pb import (
    admin_pb2,
    classic_pb2,
    datafile_pb2,
    decision_pb2,
    notification_pb2,
    profile_pb2,
    tracking_pb2,
)
from tests.docs.reading import RUNS, Block, blocks, section
from tests.support.daemon import Daemon
from tools.checks.tree import ROOT

CONTRACT = (admin_pb2, classic_pb2, datafile_pb2, decision_pb2, notification_pb2, profile_pb2, tracking_pb2)
RUNNABLE = [block for block in blocks("README.md") if block.mark == RUNS]
COMMANDS = [line for block in RUNNABLE if block.language == "sh" for line in block.text.splitlines()]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The configuration of `make run`, on free ports, from the root of the repository."""
    example: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "run.yaml").read_text())
    assert example.pop("grpc_listen") == ["127.0.0.1:8013"]
    assert example.pop("http_listen") == "127.0.0.1:8014"
    del example["data_dir"]
    for datafile in example["datafiles"].values():
        datafile["path"] = str(ROOT / datafile["path"])
    with Daemon(tmp_path_factory.mktemp("daemon"), example) as daemon:
        yield daemon.start()
        daemon.stop()


def on_this_machine(text: str, daemon: Daemon) -> str:
    """A snippet with the addresses of this daemon, and this interpreter in place of `.venv`'s."""
    python = shlex.quote(sys.executable)
    here = {
        "127.0.0.1:8013": daemon.address,
        "127.0.0.1:8014": daemon.http,
        ".venv/bin/sidecar": f"{python} -m sidecar",
        ".venv/bin/python": python,
    }
    return re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], text)


def run(command: list[str], daemon: Daemon) -> str:
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith("SIDECAR_")},
        "PYTHONPATH": f"{ROOT}:{ROOT / 'clients' / 'python' / 'src'}",
        # Where a command takes its default from: `sidecar health`, `sidecar outbox stats`.
        "SIDECAR_ADDRESS": daemon.address,
        "SIDECAR_DATA_DIR": str(daemon.data_dir),
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_every_command_and_snippet_says_whether_it_is_run() -> None:
    shown = [block for block in blocks("README.md") if block.language not in ("", "text")]

    assert [block for block in shown if block.mark != RUNS and not block.mark.startswith("not run: ")] == []
    assert {block.language for block in RUNNABLE} == {"sh", "python"}


def test_make_run_starts_the_example() -> None:
    recipe = re.search(r"^run:.*\n\t@(.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert recipe is not None
    assert recipe[1] == "$(BIN)/sidecar serve --config examples/run.yaml"


@pytest.mark.parametrize("command", [line for line in COMMANDS if not line.startswith("grpcurl ")])
def test_a_command_of_the_readme_works(command: str, daemon: Daemon) -> None:
    if command.startswith("curl ") and shutil.which("curl") is None:
        pytest.skip("curl is not installed")

    assert run(["bash", "-euc", on_this_machine(command, daemon)], daemon) != ""


@pytest.mark.parametrize("block", [block for block in RUNNABLE if block.language == "python"])
def test_a_snippet_of_the_readme_works(block: Block, daemon: Daemon) -> None:
    said = run([sys.executable, "-c", on_this_machine(block.text, daemon)], daemon).splitlines()

    assert len(said) == block.text.count("print(")
    assert "SIDECAR_UNAVAILABLE" not in said[0]
    assert "QUEUED" in said[-1]


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("grpcurl ")])
def test_a_grpcurl_command_of_the_readme_works_by_reflection(command: str, daemon: Daemon) -> None:
    program, plaintext, *rest = shlex.split(on_this_machine(command, daemon))
    assert (program, plaintext) == ("grpcurl", "-plaintext")
    with grpc.insecure_channel(daemon.address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        if rest[-1] == "list":
            assert "sidecar.v1.DecisionService" in database.get_services()
            return
        flag, body, address, target = rest
        assert (flag, address) == ("-d", daemon.address)
        service, _, name = target.partition("/")
        method = DescriptorPool(database).FindServiceByName(service).methods_by_name[name]
        answer = call(channel, method, body)

    assert answer.get("decisions") or answer.get("outcomes")


def call(channel: grpc.Channel, method: MethodDescriptor, body: str) -> dict[str, Any]:
    request = message_factory.GetMessageClass(method.input_type)()
    json_format.Parse(body, request)
    unary: grpc.UnaryUnaryMultiCallable[Any, Any] = channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    answer: dict[str, Any] = json.loads(json_format.MessageToJson(unary(request, timeout=10)))
    return answer


def unimplemented_in_the_readme() -> set[str]:
    """The methods that the README names, by service; `all of` names a whole one."""
    text = section("README.md", "What is not there yet")
    (sentence,) = [part for part in text.split("\n- ") if "`UNIMPLEMENTED`" in part]
    some, _, whole = sentence.partition(": ")[2].partition("all of")
    found = {f"{service}/*" for service in re.findall(r"`(\w+)`", whole)}
    service = ""
    for word in re.findall(r"`(\w+)`", some):
        service = word if word.endswith("Service") else service
        if word != service:
            found.add(f"{service}/{word}")
    return found


def answers_unimplemented(channel: grpc.Channel, method: MethodDescriptor) -> bool:
    name = f"/{method.containing_service.full_name}/{method.name}"
    answers: Any
    if method.client_streaming:
        streaming: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(name)
        answers = streaming(iter([b""]), timeout=10)
    else:
        # A unary reply is a stream of one, on the wire.
        single: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(name)
        answers = single(b"", timeout=10)
    try:
        next(answers)
    except grpc.RpcError as refused:
        return bool(refused.code() is grpc.StatusCode.UNIMPLEMENTED)
    except StopIteration:
        return False
    answers.cancel()
    return False


def test_the_methods_that_are_said_to_be_missing_are_those_that_are(daemon: Daemon) -> None:
    missing: set[str] = set()
    with daemon.channel() as channel:
        for file in CONTRACT:
            for service in file.DESCRIPTOR.services_by_name.values():
                unserved = {one.name for one in service.methods if answers_unimplemented(channel, one)}
                whole = len(unserved) == len(service.methods)
                missing |= {f"{service.name}/{name}" for name in (["*"] if whole else unserved)}

    assert unimplemented_in_the_readme() == missing
