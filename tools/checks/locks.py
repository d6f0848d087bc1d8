"""Locks hold versions and hashes, nothing else: no URL, no index, no path of the machine that made them.

Decision: docs/decisions/0001-locks.md.
"""

import re
import sys
from collections.abc import Iterator

from tools.checks.tree import ROOT, Finding, Source, report, source

_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!+-]+( ; [^\\]+)? \\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
_COMMENT = re.compile(r"#[^/]*")
# The other lock formats, kept by the clients: a resolved address in them names a registry.
_CLIENT_LOCKS = ("package-lock.json", "uv.lock", "pnpm-lock.yaml", "yarn.lock")
_REGISTRY = re.compile(r'"resolved"|"?registry"? ?[=:]|https?://[^"\s]*\.(?:tgz|whl|tar\.gz)\b')


def find(lock: Source) -> list[Finding]:
    """List the lines of a requirements lock that are no pinned version, no hash and no plain comment."""
    found = []
    for number, line in enumerate(lock.text.splitlines(), start=1):
        if not any(form.fullmatch(line) for form in (_REQUIREMENT, _HASH, _COMMENT)):
            text = f"got `{line.strip()}`, wanted `name==version` or a sha256 hash; run `make lock`"
            found.append(Finding(path=lock.path, line=number, text=text))
    return found


def find_addresses(lock: Source) -> list[Finding]:
    """List the lines of a client's lock that hold the address of a registry."""
    lines = enumerate(lock.text.splitlines(), start=1)
    text = "names a registry; lock with resolved addresses omitted"
    return [Finding(path=lock.path, line=number, text=text) for number, line in lines if _REGISTRY.search(line)]


def _paths(root: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        for path in sorted((ROOT / root).rglob(name)):
            if "node_modules" not in path.parts:
                yield path.relative_to(ROOT).as_posix()


def main() -> int:
    """Check requirements/*.txt and the locks of the clients."""
    findings = [finding for path in _paths("requirements", ("*.txt",)) for finding in find(source(path))]
    findings += [f for path in _paths("clients", _CLIENT_LOCKS) for f in find_addresses(source(path))]
    return report(findings)


if __name__ == "__main__":
    sys.exit(main())
