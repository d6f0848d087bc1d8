"""The Rust client's own checks by cargo: `python -m tools.checks.rust fmt|clippy|doc|test`.

Where no cargo is, says so and holds, unless CI is set. Rules: clients/rust/Cargo.toml.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from tools.checks.tree import ROOT

CLIENT: Final = ROOT / "clients" / "rust"
_FEATURES: Final = ("--features", "tls,opentelemetry,rust_decimal")
_COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "fmt": ("fmt", "--all", "--check"),
    "clippy": ("clippy", "--quiet", "--locked", "--all-targets", *_FEATURES, "--", "-D", "warnings"),
    "doc": ("doc", "--quiet", "--locked", "--no-deps", "--package", "decision-sidecar-client", *_FEATURES),
    "test": ("test", "--quiet", "--locked", *_FEATURES),
}


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands; its exit status, 2 for none of them."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        print(f"wanted one of {', '.join(_COMMANDS)}")
        return 2
    if shutil.which("cargo") is None:
        print(f"SKIPPED: no cargo is on the path, so that `cargo {arguments[0]}` of clients/rust was not run")
        return 1 if os.environ.get("CI") else 0
    environment = os.environ | {"RUSTDOCFLAGS": "-D warnings"}
    command = ("cargo", *_COMMANDS[arguments[0]])
    return subprocess.run(command, cwd=CLIENT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
