"""What the image promises, read off the Dockerfile: pinned bases, no root, health check, no compiler."""

import re
import sys

from tools.checks.tree import Finding, Source, report, source

# An exact version (three numbers, and what follows) or a digest; so `python:3` and `latest` fail.
_PINNED = re.compile(r"\S+(?::v?\d+\.\d+\.\d+\S*|@sha256:[0-9a-f]{64})")
_COMPILER = re.compile(r"\b(?:gcc|g\+\+|clang|cargo|rustc|build-essential|python3-dev|make)\b")
_EXEC_FORM = frozenset({"ENTRYPOINT", "CMD"})
_WANTED_LAST = ("USER", "HEALTHCHECK", "ENTRYPOINT")

Instruction = tuple[int, str, str]


def instructions(dockerfile: Source) -> list[Instruction]:
    """Give (line, word in capitals, rest) of each instruction; continued lines joined, comments dropped."""
    found: list[Instruction] = []
    joined, start = "", 0
    for number, raw in enumerate(dockerfile.text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        start = start or number
        joined += line.removesuffix("\\")
        if not line.endswith("\\"):
            word, _, rest = joined.partition(" ")
            found.append((start, word.upper(), rest.strip()))
            joined, start = "", 0
    return found


def _of_base(rest: str, stages: set[str]) -> str:
    image, _, name = re.sub(r"^(--\S+\s+)*", "", rest).partition(" ")
    fault = "" if image in stages or _PINNED.fullmatch(image) else f"base `{image}` is not pinned exactly"
    stages.add(name.strip().lower().removeprefix("as ").strip())
    return fault


def _of_last_stage(word: str, rest: str) -> str:
    if word == "USER" and not re.fullmatch(r"[1-9]\d*(:\d+)?", rest):
        return f"user `{rest}` is not numeric and other than 0: a pod with runAsNonRoot would not start"
    if word == "RUN" and (compiler := _COMPILER.search(rest)):
        return f"`{compiler.group()}` in the last stage"
    return ""


def find(dockerfile: Source) -> list[Finding]:
    """List what a Dockerfile does that the image must not do."""
    steps = instructions(dockerfile)
    bases = [index for index, (_, word, _) in enumerate(steps) if word == "FROM"]
    last = bases[-1] if bases else 0
    stages: set[str] = set()
    faults: list[tuple[int, str]] = []
    for index, (line, word, rest) in enumerate(steps):
        if word == "FROM":
            faults.append((line, _of_base(rest, stages)))
        if word in _EXEC_FORM and not rest.startswith("["):
            faults.append((line, f"{word} in shell form: signals would not reach the daemon"))
        if word == "HEALTHCHECK" and not re.search(r"(CMD \[|^NONE$)", rest):
            faults.append((line, "HEALTHCHECK in shell form"))
        if index >= last:
            faults.append((line, _of_last_stage(word, rest)))
    words = {word for _, word, _ in steps[last:]}
    faults += [(1, f"no {word} in the last stage") for word in _WANTED_LAST if word not in words]
    return [Finding(path=dockerfile.path, line=line, text=text) for line, text in faults if text]


def main() -> int:
    """Check the Dockerfile."""
    return report(find(source("Dockerfile")))


if __name__ == "__main__":
    sys.exit(main())
