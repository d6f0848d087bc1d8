"""The Java client's own checks by Maven: `python -m tools.checks.java lint|verify`.

`lint` is the compiler with every warning an error, and the format; `verify` is that, the tests and the API docs. Where
no mvn is, says so and holds, unless CI is set. Rules: clients/java/pom.xml.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tools.checks.tree import ROOT

CLIENT = ROOT / "clients" / "java"
_COMMANDS: Mapping[str, Sequence[str]] = {
    "lint": ("test-compile", "spotless:check"),
    "verify": ("verify",),
}


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands; its exit status, 2 for none of them."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        print(f"wanted one of {', '.join(_COMMANDS)}")
        return 2
    if shutil.which("mvn") is None:
        print(f"SKIPPED: no mvn is on the path, so that `mvn {arguments[0]}` of clients/java was not run")
        return 1 if os.environ.get("CI") else 0
    command = ("mvn", "-q", "-B", "-Dstyle.color=never", *_COMMANDS[arguments[0]])
    return subprocess.run(command, cwd=CLIENT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
