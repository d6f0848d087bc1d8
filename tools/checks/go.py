"""The Go client's own checks, by the go command: `python -m tools.checks.go fmt|vet|staticcheck|test`.

In the client's module and in that of its tracing. Where no Go is, says so and holds, unless CI is set. staticcheck is
pinned by clients/go/tools/go.mod.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tools.checks.tree import ROOT

CLIENT: Final = ROOT / "clients" / "go"
MODULES: Final = (CLIENT, CLIENT / "sidecarotel")
_COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "fmt": ("gofmt", "-l", "."),
    "vet": ("go", "vet", "./..."),
    "staticcheck": ("go", "tool", f"-modfile={CLIENT}/tools/go.mod", "staticcheck", "./..."),
    "test": ("go", "test", "-race", "-timeout=120s", "./..."),
}


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands; its exit status, 2 for none of them."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        print(f"wanted one of {', '.join(_COMMANDS)}")
        return 2
    if shutil.which("go") is None:
        print(f"SKIPPED: no go is on the path, so that `{arguments[0]}` of clients/go was not run")
        return 1 if os.environ.get("CI") else 0
    return max(_run(arguments[0], module) for module in MODULES)


def _run(name: str, module: Path) -> int:
    done = subprocess.run(_COMMANDS[name], cwd=module, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="")
    # gofmt lists what it would change, and exits with 0.
    return done.returncode or (1 if name == "fmt" and done.stdout else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
