"""The path of a newcomer in Python: an empty environment, the client installed from this tree, the page pasted.

All else about it is in clients/python/tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.reading import section
from tests.support.daemon import ROOT, Daemon


def run(*command: str | Path, directory: Path) -> str:
    """What a command printed, without this environment's paths; fails the test, with what it said, when it fails."""
    environment = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


# Why so long: the client's dependencies are downloaded where no cache has them.
@pytest.mark.timeout(300)
def test_a_newcomer_installs_it_and_runs_the_page(tmp_path: Path) -> None:
    uv = shutil.which("uv") or Path(sys.executable).with_name("uv")
    found = re.search(
        r"^```python\n(.*?)^```$", section("clients/python/README.md", "First decision"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    shop = tmp_path / "shop"
    shop.mkdir()
    run(uv, "venv", "--quiet", "--python", sys.executable, ".venv", directory=shop)
    run(uv, "pip", "install", "--quiet", "--python", ".venv/bin/python", ROOT / "clients" / "python", directory=shop)
    with Daemon(tmp_path, {"datafile": str(ROOT / "examples" / "shop.json")}) as daemon:
        address = daemon.start().addresses[0]
        page = found[1].replace("127.0.0.1:8013", address) + "print(decision.flag_key, decision.error_reason, '.')\n"
        (shop / "first.py").write_text(page)
        assert run(".venv/bin/python", "first.py", directory=shop) == "checkout_redesign  .\n"
        assert "site-packages" in run(
            ".venv/bin/python", "-c", "import sidecar_client; print(sidecar_client.__file__)", directory=shop
        )
