"""The command line: `serve`, `check`, `health`, `outbox stats`. One function a command; each returns its exit code.

Exit codes: 0 well, 1 the command's answer is bad (rejected, not serving, failed), 2 the call or the configuration is
wrong. Reference: docs/operations.md "Commands".
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

from sidecar import __version__, config
from sidecar.errors import ConfigInvalid, DatafileRejected, SidecarError

if TYPE_CHECKING:
    from sidecar import client

WELL: Final = 0
BAD: Final = 1
WRONG: Final = 2

DEFAULT_ADDRESS: Final = "127.0.0.1:8013"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what `sidecar` and `python -m sidecar` call."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    # Why by a look ahead: the other commands start without loading what declares the flags of `serve`.
    parser = _parser(with_settings=not words or words[0] not in ("check", "health", "outbox"))
    given = parser.parse_args(words)
    try:
        code: int = given.command(given)
    except ConfigInvalid as invalid:
        for problem in invalid.problems:
            _complain(problem)
        return WRONG
    except (SidecarError, OSError) as failed:
        _complain(str(failed))
        return BAD
    except KeyboardInterrupt:
        return BAD
    return code


def serve(given: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    # Why here and in each command: `sidecar health` runs every few seconds, and need not load the daemon.
    from sidecar.app import serve as life
    from sidecar.app import settings

    file = given.config or os.environ.get("SIDECAR_CONFIG")
    environment = {name: text for name, text in os.environ.items() if name not in _NOT_SETTINGS}
    life.run(settings.load(_flags(given), environment, Path(file) if file else None))
    return WELL


def check(given: argparse.Namespace) -> int:
    """Validate a datafile: print every warning with its JSON path; 1 when it is rejected, with --strict on warnings."""
    from sidecar import decision

    body = Path(given.file).read_bytes()
    try:
        compiled = decision.load(body)
    except DatafileRejected as rejected:
        found = {"path": rejected.path, "message": f"is {rejected.got}, wanted {rejected.wanted}"}
        _print_check(given, {"accepted": False, "rejection": found, "warnings": []}, str(rejected))
        return BAD
    warnings = [{"path": warning.path, "message": warning.message} for warning in compiled.warnings]
    summary = (
        f"{given.file}: revision `{compiled.revision}`, {len(compiled.flags)} flags, "
        f"{len(compiled.experiments)} experiments, {len(warnings)} warnings"
    )
    answer = {
        "accepted": True,
        "revision": compiled.revision,
        "flags": len(compiled.flags),
        "warnings": warnings,
    }
    lines = [f"{warning['path'] or given.file}: {warning['message']}" for warning in warnings]
    _print_check(given, answer, "\n".join([*lines, summary]))
    return BAD if warnings and given.strict else WELL


def health(given: argparse.Namespace) -> int:
    """Ask a running sidecar whether it serves; 1 when it does not or does not answer."""
    from sidecar import client

    answer = client.health(_target(given), given.name, given.timeout)
    sys.stdout.write(f"{answer}\n")
    return WELL if answer == "SERVING" else BAD


def outbox_stats(given: argparse.Namespace) -> int:
    """Print the counts of every destination, read from the outbox's file, whether its daemon runs or not."""
    from sidecar.app import inspect

    counts = inspect.outbox_counts(Path(given.data_dir))
    if given.json:
        sys.stdout.write(json.dumps(counts, indent=2) + "\n")
        return WELL
    rows = [("destination", "accepted", "delivered", "pending", "dead", "dropped", "pending bytes")]
    rows += [
        (
            str(one["destination"]),
            str(one["accepted"]),
            str(one["delivered"]),
            str(one["pending"]),
            str(one["dead"]),
            " ".join(f"{reason}={events}" for reason, events in one["dropped"].items()) or "0",
            str(one["pending_bytes"]),
        )
        for one in counts
    ]
    sys.stdout.write(_table(rows))
    return WELL


_NOT_SETTINGS: Final = ("SIDECAR_CONFIG", "SIDECAR_ADDRESS")
"""Variables that name the file and the address, and so are no fields of it."""


def _parser(*, with_settings: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sidecar", description="Decides flags and delivers events beside your service."
    )
    parser.add_argument("--version", action="version", version=f"sidecar {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _serve_parser(commands.add_parser("serve", help="serve until SIGTERM"), with_settings=with_settings)
    one = commands.add_parser("check", help="validate a datafile and list its warnings")
    one.add_argument("file", metavar="FILE", help="a datafile")
    one.add_argument("--json", action="store_true", help="print JSON")
    one.add_argument("--strict", action="store_true", help="exit 1 on warnings too")
    one.set_defaults(command=check)
    one = commands.add_parser("health", help="ask a running sidecar whether it serves")
    _client_arguments(one)
    one.add_argument("name", nargs="?", default="", help="a service, or datafile/NAME; the process by default")
    one.set_defaults(command=health)
    outbox = commands.add_parser("outbox", help="look into the outbox").add_subparsers(required=True, metavar="COMMAND")
    one = outbox.add_parser("stats", help="print what each destination was given and got")
    one.add_argument(
        "--data-dir",
        metavar="DIR",
        default=os.environ.get("SIDECAR_DATA_DIR", ".sidecar"),
        help="the daemon's data directory (SIDECAR_DATA_DIR)",
    )
    one.add_argument("--json", action="store_true", help="print JSON")
    one.set_defaults(command=outbox_stats)
    return parser


def _serve_parser(parser: argparse.ArgumentParser, *, with_settings: bool) -> None:
    parser.add_argument("--config", metavar="FILE", help="YAML file with any of the settings (SIDECAR_CONFIG)")
    parser.set_defaults(command=serve)
    if not with_settings:
        return
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


def _leave_out_rich() -> None:
    """Keep structlog from loading `rich` where it is installed: 3 MiB and 0.15 s of a start, for traces in colour.

    None is how the import system is told that a module cannot be imported; structlog then does without.
    """
    sys.modules.setdefault("rich", cast("ModuleType", None))


def _client_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--address", metavar="ADDRESS", help="HOST:PORT or unix:PATH (SIDECAR_ADDRESS)")
    parser.add_argument("--timeout", type=float, default=2.0, metavar="SECONDS", help="how long to wait (2)")
    parser.add_argument("--tls-ca", metavar="FILE", help="serve's certificate authority; given, TLS is spoken")
    parser.add_argument("--tls-cert", metavar="FILE", help="a client certificate")
    parser.add_argument("--tls-key", metavar="FILE", help="its key")
    parser.add_argument("--token-file", metavar="FILE", help="a bearer token")


def _flags(given: argparse.Namespace) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for name, value in vars(given).items():
        if name not in ("command", "config"):
            config.put(found, tuple(name.split(".")), value)
    return found


def _target(given: argparse.Namespace) -> client.Target:
    from sidecar import client

    listen = os.environ.get("SIDECAR_GRPC_LISTEN", DEFAULT_ADDRESS).split(",")[0].strip()
    return client.Target(
        address=given.address or os.environ.get("SIDECAR_ADDRESS") or listen,
        tls_ca=given.tls_ca,
        tls_cert=given.tls_cert,
        tls_key=given.tls_key,
        token_file=given.token_file,
    )


def _print_check(given: argparse.Namespace, answer: Mapping[str, object], text: str) -> None:
    sys.stdout.write((json.dumps(answer, indent=2) if given.json else text) + "\n")


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    align: Callable[[int, str], str] = lambda at, text: text.ljust(widths[at]) if at == 0 else text.rjust(widths[at])  # noqa: E731 - one use
    return "".join("  ".join(align(at, text) for at, text in enumerate(row)).rstrip() + "\n" for row in rows)


def _complain(problem: str) -> None:
    sys.stderr.write(f"sidecar: {problem}\n")
