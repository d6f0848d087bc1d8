"""The command line: one module a command, loaded when it is asked for.

`entry` chooses the command; each other module is one command (`arguments` declares its options, `run` answers with an
exit code), a part of one (`import_lines`, …), or what several of them share: `printing`, `people`, `shares`, `reach`.
No command holds a rule of its own: what they compute is in `decision`. Reference: docs/commands.md.
"""

from sidecar.cli.entry import main

__all__ = ["main"]
