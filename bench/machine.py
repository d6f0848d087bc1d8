"""What the figures were measured on: a row without it says nothing to whoever reads it elsewhere."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.processes import Cores

_LIBRARIES: Final = ("grpcio", "protobuf", "uvloop", "msgspec", "aiohttp", "optimizely-sdk")


def described(cores: Cores) -> str:
    """Processor, kernel, interpreter and libraries, in two lines."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{len(models)} cores of {models[0] if models else platform.machine()}, {platform.system()} "
        f"{platform.release()}; server on core {cores.server}, load on core {cores.load}\n"
        f"{platform.python_implementation()} {platform.python_version()}, {libraries}"
    )
