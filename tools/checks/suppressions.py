"""No suppression without its reason on the same line, and no `type: ignore` in sidecar/ at all."""

import io
import re
import sys
import tokenize

from tools.checks.tree import Finding, Source, python_sources, report

_DIRECTIVE = re.compile(
    r"#\s*(?P<name>noqa|type:\s*ignore|pragma|pylint|pyright|mypy|fmt|ruff)\b(?P<rest>.*)",
    re.IGNORECASE,
)
# What a directive says to its tool: codes in brackets, or after a colon; `no cover`, `disable=…`, `off`.
_ARGUMENTS = re.compile(
    r"""^\s*(?:
        \[[^\]]*\]
      | :\s*[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+\b)*
      | :?\s*(?:no\s+(?:cover|branch)|disable(?:-error-code)?=\S+)
      | :?\s*(?:(?:file-)?ignore(?:\[[^\]]*\])?|off|on|skip|noqa\S*)
    )?""",
    re.VERBOSE,
)
# Two words at least: `why: 2` or `ok` is no reason.
_REASON = re.compile(r"\w{2,}\W+\w{2,}")


def find(source: Source) -> list[Finding]:
    """List the suppressions of one Python file that give no reason, or that may not be there."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        directive = _DIRECTIVE.search(token.string) if token.type == tokenize.COMMENT else None
        if directive is None:
            continue
        name = re.sub(r"\s+", " ", directive["name"].lower())
        if name.startswith("type:") and source.path.startswith("sidecar/"):
            text = "`type: ignore` in sidecar/; give the value its type instead"
        elif _REASON.search(_ARGUMENTS.sub("", directive["rest"], count=1)):
            continue
        else:
            text = f"`{token.string}` gives no reason; say it on the same line, after ` - `"
        found.append(Finding(path=source.path, line=token.start[0], text=text))
    return found


def main() -> int:
    """Check every hand-written Python file of the repository."""
    sources = python_sources("sidecar", "tools", "tests", "bench", "clients/python")
    return report(finding for source in sources for finding in find(source))


if __name__ == "__main__":
    sys.exit(main())
