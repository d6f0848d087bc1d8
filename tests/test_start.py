"""What a start must not load. The figures that this keeps are in docs/performance.md."""

from __future__ import annotations

import subprocess
import sys

_SERVE = """
import contextlib, sys
from sidecar import cli
with contextlib.suppress(SystemExit):
    cli.main(["serve", "--help"])
import structlog
print()
print(sorted(name for name in sys.modules if name.partition(".")[0] == "rich" and sys.modules[name]))
"""


def test_serve_keeps_rich_out_where_it_is_installed() -> None:
    ran = subprocess.run([sys.executable, "-c", _SERVE], capture_output=True, text=True, check=True, timeout=50)
    assert ran.stdout.splitlines()[-1] == "[]"
