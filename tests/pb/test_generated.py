"""The committed modules are those of `proto/`, and both copies live in one process."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from tools import gen

PROTOS = sorted(path.relative_to(gen.PROTO) for path in (gen.PROTO / "sidecar").rglob("*.proto"))
SERVER, CLIENT = (package.directory for package in gen.PACKAGES[:2])


@pytest.fixture(scope="module")
def compiled() -> dict[str, FileDescriptorProto]:
    """What `proto/` says now, by file name, without comments; compiled by buf, so no generator is needed."""
    # Beside the interpreter of the tests, by its own path: a link resolved would lead out of the environment.
    buf = Path(sys.executable).with_name("buf")
    image = subprocess.run(
        [buf, "build", "--as-file-descriptor-set", "--exclude-source-info", "-o", "-"],
        cwd=gen.ROOT,
        check=True,
        capture_output=True,
    ).stdout
    return {file.name: file for file in FileDescriptorSet.FromString(image).file}


def without_json_names(file: FileDescriptorProto) -> FileDescriptorProto:
    """Compilers differ in whether they spell out each field's derived JSON name."""
    pending = list(file.message_type)
    while pending:
        message = pending.pop()
        pending += message.nested_type
        for field in message.field:
            field.ClearField("json_name")
    return file


@pytest.mark.parametrize("proto", PROTOS, ids=str)
def test_the_generated_module_says_what_its_proto_says(proto: Path, compiled: dict[str, FileDescriptorProto]) -> None:
    module = importlib.import_module(f"sidecar.pb.{proto.stem}_pb2")
    generated = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
    assert without_json_names(generated) == without_json_names(compiled[str(proto)])


@pytest.mark.parametrize("proto", [proto for proto in PROTOS if "outbox" not in proto.parts], ids=str)
def test_the_copies_of_server_and_client_are_one_in_one_process(proto: Path) -> None:
    server = importlib.import_module(f"sidecar.pb.{proto.stem}_pb2").DESCRIPTOR
    client = importlib.import_module(f"sidecar_client.pb.{proto.stem}_pb2").DESCRIPTOR
    assert server is client


def test_the_client_has_no_copy_of_the_storage_format() -> None:
    def modules(directory: Path) -> set[str]:
        return {path.name for path in (gen.ROOT / directory).glob("*_pb2.py")}

    assert modules(SERVER) - modules(CLIENT) == {"record_pb2.py"}


def test_only_the_client_has_grpc_stubs() -> None:
    stubs = {directory: set((gen.ROOT / directory).glob("*_grpc.py")) for directory in (SERVER, CLIENT)}
    assert not stubs[SERVER]
    assert {path.name.removesuffix("_pb2_grpc.py") for path in stubs[CLIENT]} == {
        "admin",
        "classic",
        "datafile",
        "decision",
        "notification",
        "profile",
        "tracking",
    }


def test_check_names_each_file_that_differs_is_missing_or_is_too_many(tmp_path: Path) -> None:
    for name, text in {"same_pb2.py": "1", "edited_pb2.py": "mine", "dropped_pb2.pyi": "1"}.items():
        (tmp_path / name).write_text(text)
    fresh = {"same_pb2.py": "1", "edited_pb2.py": "1", "new_pb2.py": "1"}
    found = [path.name for path in gen.differences(fresh, tmp_path)]
    assert found == ["dropped_pb2.pyi", "edited_pb2.py", "new_pb2.py"]


def test_writing_leaves_exactly_the_fresh_files(tmp_path: Path) -> None:
    (tmp_path / "dropped_pb2.py").write_text("1")
    fresh = {"edited_pb2.py": "1", "new_pb2.pyi": "2"}
    gen.replace(fresh, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == fresh
