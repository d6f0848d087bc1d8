"""The TypeScript client's own checks by npm: `python -m tools.checks.typescript build|lint|docs|test|bench`.

Installs what package-lock.json names, then builds before anything else: lint and tests read the types of what is built.
`bench` installs what the bench alone has besides.
Where no npm is, says so and holds, unless CI is set. Rules: clients/typescript/eslint.config.js, tsconfig.base.json.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tools.gen_typescript import CLIENT, install

_BUILD = ("tsc", "--build")
_COMMANDS: Mapping[str, Sequence[Sequence[str]]] = {
    "build": (_BUILD,),
    "lint": (_BUILD, ("eslint", "--max-warnings", "0", "."), ("prettier", "--check", "--log-level", "warn", ".")),
    "docs": (("typedoc", "--logLevel", "Warn"),),
    "bench": (_BUILD,),
    "test": (_BUILD, ("node", "--test", "build/tests/")),
}


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands; its exit status, 2 for none of them."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        print(f"wanted one of {', '.join(_COMMANDS)}")
        return 2
    if shutil.which("npm") is None:
        print(f"SKIPPED: no npm is on the path, so that `{arguments[0]}` of clients/typescript was not run")
        return 1 if os.environ.get("CI") else 0
    install()
    if arguments[0] == "bench":
        # Optimizely's SDK is of the bench alone.
        install(CLIENT / "bench")
    tools = CLIENT / "node_modules" / ".bin"
    for name, *rest in _COMMANDS[arguments[0]]:
        program = name if name == "node" else tools / name
        status = subprocess.run((program, *rest), cwd=CLIENT, check=False).returncode
        if status != 0:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
