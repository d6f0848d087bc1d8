"""`sidecar serve`: the daemon. Its flags are generated from the configuration: docs/configuration.md."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final, cast

from sidecar import config
from sidecar.cli.outcome import WELL

_NOT_SETTINGS: Final = ("SIDECAR_CONFIG", "SIDECAR_ADDRESS")
"""Variables that name the file and the address, and so are no fields of it."""
_NOT_FLAGS: Final = ("run", "config")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--config` and one flag for each field of the configuration."""
    parser.add_argument("--config", metavar="FILE", help="YAML file with any of the settings (SIDECAR_CONFIG)")
    _leave_out_rich()
    from sidecar.app.settings import Settings

    for option in config.options(Settings):
        parser.add_argument(
            option.flag,
            dest=".".join(option.path),
            metavar=option.path[-1].upper(),
            action="append" if option.repeatable else "store",
            default=argparse.SUPPRESS,
            help=f"{option.variable}; see docs/configuration.md",
        )


def run(given: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. Raises ConfigInvalid before anything is opened."""
    from sidecar.app import serve as life
    from sidecar.app.configured import load

    file = given.config or os.environ.get("SIDECAR_CONFIG")
    environment = {name: text for name, text in os.environ.items() if name not in _NOT_SETTINGS}
    life.run(load(_flags(given), environment, Path(file) if file else None))
    return WELL


def _flags(given: argparse.Namespace) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for name, value in vars(given).items():
        if name not in _NOT_FLAGS:
            config.put(found, tuple(name.split(".")), value)
    return found


def _leave_out_rich() -> None:
    """Keep structlog from loading `rich` where it is installed: 3 MiB and 0.15 s of a start, for traces in colour.

    None is how the import system is told that a module cannot be imported; structlog then does without.
    """
    sys.modules.setdefault("rich", cast("ModuleType", None))
