"""What a configuration costs that names no source of a kind."""

from __future__ import annotations

import subprocess
import sys


def test_sections_are_declared_without_loading_aiohttp_or_watchdog() -> None:
    program = (
        "import sys, sidecar.sources.file, sidecar.sources.http, sidecar.sources.optimizely\n"
        "print(sorted({'aiohttp', 'watchdog'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
