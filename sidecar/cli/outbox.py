"""`sidecar outbox`: what each destination was given and got, what waits, what died, and what to do about it.

A running sidecar is asked with `--address`; else the file in `--data-dir` is read, whether its daemon runs or not. It
is changed only while no daemon runs: of one that does, its Unix socket is asked, if the configuration names one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from sidecar.app import inspect
from sidecar.app.file import read_file
from sidecar.cli import reach
from sidecar.cli.outbox_printing import print_counts, print_dead_letters, print_events
from sidecar.cli.outcome import WELL, Unanswerable
from sidecar.cli.printing import print_json, print_lines
from sidecar.client.admin import Admin
from sidecar.errors import DataDirectoryLocked

_LIMIT_MAX: Final = 1_000
_TIMEOUT_S: Final = 30.0
_ID_DIGITS_MAX: Final = 18


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands below `outbox`, and theirs."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _command(commands, "stats", "print what each destination was given and got", _stats)
    for name, purpose, act in (
        ("peek", "print the oldest events that wait for a destination", _peek),
        ("dead", "print the dead letters of a destination", _dead),
    ):
        one = _command(commands, name, purpose, act)
        _add_destination(one)
        one.add_argument(
            "--limit", type=_count, default=10, metavar="N", help=f"how many at most, 1 to {_LIMIT_MAX:,} (10)"
        )
    for name, purpose, act in (
        ("requeue", "put dead letters back at the end of the queue", _requeue),
        ("purge", "delete dead letters for ever", _purge),
    ):
        one = _command(commands, name, purpose, act)
        _add_destination(one)
        chosen = one.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--all", action="store_true", help="all dead letters of the destination")
        chosen.add_argument("--id", metavar="ID", type=_dead_id, action="append", help="this dead letter; repeatable")
        if name == "purge":
            one.add_argument("--yes", action="store_true", help="do not ask")


def run(given: argparse.Namespace) -> int:
    """Run one of them. Raises OutboxUnopened, NotAdministered, DataDirectoryLocked, Unanswerable."""
    code: int = given.act(given)
    return code


def _command(
    commands: Any,  # noqa: ANN401 - argparse does not export its type
    name: str,
    purpose: str,
    act: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(name, help=purpose, allow_abbrev=False)
    reach.add_arguments(one)
    one.set_defaults(act=act, timeout=_TIMEOUT_S)
    one.add_argument("--config", metavar="FILE", help="the daemon's YAML file (SIDECAR_CONFIG)")
    one.add_argument("--data-dir", metavar="DIR", help="the daemon's data directory (SIDECAR_DATA_DIR, .sidecar)")
    one.add_argument("--json", action="store_true", help="print JSON")
    return one


def _add_destination(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--destination", metavar="NAME", required=True, help="the destination's configured name")


def _stats(given: argparse.Namespace) -> int:
    counts = _admin(given).counts() if given.address else inspect.outbox_counts(_data_dir(given))
    if given.json:
        print_json(counts)
    else:
        print_counts(counts)
    return WELL


def _peek(given: argparse.Namespace) -> int:
    if given.address:
        events = _admin(given).pending(given.destination, given.limit)
    else:
        _check_known(given)
        events = inspect.pending(_data_dir(given), given.destination, given.limit)
    if given.json:
        print_json(events)
    else:
        print_events(events)
    return WELL


def _dead(given: argparse.Namespace) -> int:
    if given.address:
        letters = _admin(given).dead_letters(given.destination, given.limit)
    else:
        _check_known(given)
        letters = inspect.dead_letters(_data_dir(given), given.destination, given.limit)
    if given.json:
        print_json(letters)
    else:
        print_dead_letters(letters)
    return WELL


def _requeue(given: argparse.Namespace) -> int:
    name = given.config or os.environ.get("SIDECAR_CONFIG")
    bytes_max = inspect.outbox_bytes_max(Path(name) if name else None, os.environ)
    done = _change(
        given,
        lambda admin, ids: admin.requeue(given.destination, ids),
        lambda data_dir, destination, ids: inspect.requeue(data_dir, destination, ids, bytes_max),
    )
    if given.json:
        print_json(done)
        return WELL
    left = f", {done['left']} left: the destination's bound is reached" if done["left"] else ""
    print_lines([f"{done['requeued']} wait again{left}"])
    return WELL


def _purge(given: argparse.Namespace) -> int:
    _confirm(given)
    done = _change(given, lambda admin, ids: admin.purge(given.destination, ids), inspect.purge)
    if given.json:
        print_json(done)
    else:
        print_lines([f"{done['purged']} deleted"])
    return WELL


def _change(
    given: argparse.Namespace,
    ask: Callable[[Admin, Sequence[int] | None], dict[str, int]],
    change: Callable[[Path, str, Sequence[int] | None], dict[str, int]],
) -> dict[str, int]:
    """Ask the running sidecar, or change the file when none runs. Raises DataDirectoryLocked when it is not found."""
    ids = None if given.all else given.id
    if given.address:
        return ask(_admin(given), ids)
    _check_known(given)
    try:
        return change(_data_dir(given), given.destination, ids)
    except DataDirectoryLocked:
        given.address = _own_address(given)
        if not given.address:
            raise
    return ask(_admin(given), ids)


def _own_address(given: argparse.Namespace) -> str:
    """Where the configuration says that the daemon of this directory listens: a Unix socket before all; "" = nowhere.

    Why not the default: another daemon may listen there, with dead letters of its own.
    """
    named = os.environ.get("SIDECAR_ADDRESS") or os.environ.get("SIDECAR_GRPC_LISTEN", "")
    listen = [text.strip() for text in named.split(",") if text.strip()] or _configured(given, "grpc_listen")
    return next((text for text in listen if text.startswith("unix:")), listen[0] if listen else "")


def _data_dir(given: argparse.Namespace) -> Path:
    configured = _configured(given, "data_dir")
    named = given.data_dir or os.environ.get("SIDECAR_DATA_DIR")
    return Path(named or (configured[0] if configured else ".sidecar"))


def _configured(given: argparse.Namespace, key: str) -> list[str]:
    """What the YAML file says under a key, as texts; none without a file."""
    name = given.config or os.environ.get("SIDECAR_CONFIG")
    if not name:
        return []
    value = read_file(Path(name)).get(key)
    return [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]


def _admin(given: argparse.Namespace) -> Admin:
    return Admin(reach.target(given), given.timeout)


def _check_known(given: argparse.Namespace) -> None:
    """Raise Unanswerable for a destination that the file has never heard of."""
    known = [str(one["destination"]) for one in inspect.outbox_counts(_data_dir(given))]
    if given.destination not in known:
        raise Unanswerable(f"--destination is `{given.destination}`, wanted one of {', '.join(known) or 'none'}")


def _confirm(given: argparse.Namespace) -> None:
    """Raise Unanswerable unless whoever asks is sure."""
    if given.yes:
        return
    what = "all dead letters" if given.all else f"{len(given.id)} dead letters"
    if not sys.stdin.isatty():
        raise Unanswerable(f"purge deletes {what} of `{given.destination}` for ever, wanted --yes; nothing was deleted")
    sys.stderr.write(f"Delete {what} of {given.destination} for ever? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Unanswerable("the answer was not yes; nothing was deleted")


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= _LIMIT_MAX:
        raise argparse.ArgumentTypeError(f"is {count}, wanted 1 to {_LIMIT_MAX}")
    return count


def _dead_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _ID_DIGITS_MAX):
        raise argparse.ArgumentTypeError(f"is `{text}`, wanted an id as `sidecar outbox dead` prints it")
    return int(text)
