"""How a command ends. Reference: docs/commands.md "Exit codes"."""

from __future__ import annotations

from typing import Final

WELL: Final = 0
BAD: Final = 1
"""The command's answer is bad: rejected, not serving, over the limit; or it failed on its way."""
WRONG: Final = 2
"""There is no answer: the call or the configuration is wrong, or what it names cannot be read."""


class Unanswerable(Exception):
    """The command cannot answer what it was asked; the message names the argument, what was got and wanted."""
