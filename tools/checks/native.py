"""The crate's own checks by cargo: `python -m tools.checks.native fmt|clippy|deny|test`.

Where no cargo is, says so and holds, unless NATIVE=require, as in CI. Where no cargo-deny is, says so and holds: it
takes minutes to build, and asks only what native/Cargo.lock says. Rules: native/Cargo.toml, native/deny.toml.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tools.checks.tree import ROOT

_COMMANDS: Mapping[str, Sequence[str]] = {
    "fmt": ("fmt", "--check"),
    "clippy": ("clippy", "--quiet", "--locked", "--all-targets", "--features", "python", "--", "-D", "warnings"),
    "deny": ("deny", "--locked", "--all-features", "--log-level", "error", "check", "bans", "licenses", "sources"),
    "test": ("test", "--quiet", "--locked"),
}


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands; its exit status, 2 for none of them."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        print(f"wanted one of {', '.join(_COMMANDS)}")
        return 2
    if shutil.which("cargo") is None:
        print(f"SKIPPED: no cargo is on the path, so that `cargo {arguments[0]}` of native/ was not run")
        return 1 if os.environ.get("NATIVE") == "require" else 0
    if arguments[0] == "deny" and shutil.which("cargo-deny") is None:
        print("SKIPPED: no cargo-deny is on the path, so that licenses and sources of native/ were not checked")
        return 0
    # Why the interpreter by name: pyo3 asks one how to link, and any other than ours may be too old.
    environment = os.environ | {"PYO3_PYTHON": sys.executable}
    command = ("cargo", *_COMMANDS[arguments[0]])
    return subprocess.run(command, cwd=ROOT / "native", env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
