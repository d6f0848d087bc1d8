"""Twin of tools/checks/locks.py."""

import pytest

from tools.checks.locks import find, find_addresses
from tools.checks.tree import Source

HASH = "    --hash=sha256:" + "0" * 64


def lines(text: str) -> list[int]:
    return [finding.line for finding in find(Source(path="requirements/x.txt", text=text))]


def test_versions_hashes_and_markers_pass() -> None:
    assert lines(f"# made by\nmmh3==5.1.0 \\\n{HASH} \\\n{HASH}\na==1 ; sys_platform == 'win32' \\\n{HASH}\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://registry.example/simple",
        "mmh3 @ https://registry.example/mmh3.whl",
        "mmh3>=5",
        "mmh3==5.1.0",
        "# from https://registry.example",
        "    # via -r /somewhere/requirements.in",
    ],
)
def test_anything_else_is_found(line: str) -> None:
    assert lines(f"{line}\n") == [1]


def test_a_resolved_address_in_a_client_lock_is_found() -> None:
    text = '{\n  "version": "1.0.0",\n  "resolved": "https://registry.example/a.tgz"\n}\n'

    assert [finding.line for finding in find_addresses(Source(path="package-lock.json", text=text))] == [3]


def test_a_client_lock_without_addresses_passes() -> None:
    text = '{\n  "version": "1.0.0",\n  "integrity": "sha512-AAAA"\n}\n'

    assert find_addresses(Source(path="package-lock.json", text=text)) == []
