"""The conformance program of the Python client: steps as JSON lines in, canonical lines of what it answered out.

The forms are fixed by clients/conformance/README.md; the client's public surface alone is used.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import sidecar_client
from clients.python.conformance.canonical import (
    accepted,
    client_error,
    decision,
    decisions,
    dumps,
    imported,
    value,
    variable_error,
)
from clients.python.conformance.explained import explanation
from clients.python.conformance.taken import default, event_arguments, native, seconds
from sidecar_client import Client, Decision, Draft, SidecarError, Tls, User, VariableError

ADDRESSES: Final = {"tcp": "SIDECAR_TCP", "unix": "SIDECAR_UNIX", "nowhere": "SIDECAR_NOWHERE"}
Step = Mapping[str, Any]


class Program:
    """The client under test, and what of it outlives a step."""

    def __init__(self) -> None:
        self.client: Client = sidecar_client.connect()
        self.watch: Iterator[sidecar_client.DatafileChange] | None = None

    def answer(self, step: Step) -> dict[str, Any]:
        """One line for one step."""
        try:
            calls: Callable[[Step], Any] = getattr(self, step["call"])
            return {"id": step["id"], "result": calls(step)}
        except SidecarError as error:
            return {"id": step["id"], "error": client_error(error, step)}

    # --- connection -----------------------------------------------------------------------------------------

    def connect(self, step: Step) -> str:
        self.client.close()
        self.watch = None
        given = dict(step.get("with", {}))
        options: dict[str, Any] = {key: given[key] for key in given if not key.endswith("_ms") and key != "tls"}
        options |= {key.removesuffix("_ms") + "_s": given[key] / 1000 for key in given if key.endswith("_ms")}
        if "tls" in given:
            options["tls"] = tls(mutual=given["tls"] == "mutual")
        self.client = sidecar_client.connect(os.environ[ADDRESSES[step["to"]]], **options)
        return "connected"

    def close(self, _: Step) -> str:
        self.client.close()
        return "closed"

    def wait_ready(self, step: Step) -> bool:
        return self.client.wait_ready(**seconds(step))

    # --- decisions ------------------------------------------------------------------------------------------

    def decide(self, step: Step) -> Any:
        return decision(self._decided(step), step)

    def variables(self, step: Step) -> Any:
        variables = self._decided(step).variables

        def read(one: Mapping[str, Any]) -> Any:
            given = {"default": native(one["default"])} if "default" in one else {}
            try:
                return {"value": value(getattr(variables, one["type"])(one["key"], **given))}
            except VariableError as error:
                return {"error": variable_error(error, one["type"])}

        return [read(one) for one in step["read"]]

    def _decided(self, step: Step) -> Decision:
        given: dict[str, Any] = {}
        if "default" in step:
            given["default"] = default(step["flag_key"], step["default"])
        return self._user(step["user"]).decide(step["flag_key"], **given, **asked(step))

    def decide_for_keys(self, step: Step) -> Any:
        user = self._user(step["user"])
        return decisions(user.decide_for_keys(step["flag_keys"], **defaults(step), **asked(step)), step)

    def decide_all(self, step: Step) -> Any:
        return decisions(self._user(step["user"]).decide_all(**defaults(step), **asked(step)), step)

    def decide_many(self, step: Step) -> Any:
        users = [self._user(one) for one in step["users"]]
        ids = [one["decision_id"] for one in step["users"]]
        answered = self.client.decide_many(
            users, step.get("flag_keys", ()), decision_ids=ids, **defaults(step), **asked(step)
        )
        return [decisions(each, {"decision_id": one}) for each, one in zip(answered, ids, strict=True)]

    def explain(self, step: Step) -> Any:
        return explanation(self._user(step["user"]).explain(step["flag_key"], **asked(step)))

    # --- events ---------------------------------------------------------------------------------------------

    def track(self, step: Step) -> Any:
        first, options = event_arguments(step)
        method = getattr(self._user(step["user"]), step["call"])
        return accepted(method(*first, **options, **seconds(step)), step)

    identify = page = screen = group = alias = track

    def import_events(self, step: Step) -> Any:
        options = {key: step[key] for key in ("include_optimizely", "batch_events_max") if key in step}
        return imported(self.client.import_events(map(self._draft, step["events"]), **options))

    def _draft(self, step: Step) -> Draft:
        first, options = event_arguments(step)
        made: Draft = getattr(self._user(step["user"]).drafts, step["call"])(*first, **options)
        return made

    # --- the rest -------------------------------------------------------------------------------------------

    def flush(self, step: Step) -> Any:
        left = self.client.flush(**seconds(step))
        remainders = [
            {"destination": each.destination, "events": each.events, "pause_reason": each.pause_reason}
            for each in left.remainders
        ]
        return {"complete": left.complete, "remainders": remainders}

    def status(self, _: Step) -> Any:
        said = self.client.status()
        warnings = [
            {"path": each.path, "description": each.description, "disabled_flag_key": each.disabled_flag_key}
            for each in said.warnings
        ]
        return {
            "name": said.name,
            "revision": said.revision,
            "stale": said.stale,
            "from_cache": said.from_cache,
            "warnings": warnings,
        }

    def watch_next(self, _: Step) -> Any:
        if self.watch is None:
            self.watch = self.client.watch()
        return {"revision": next(self.watch).revision}

    def counters(self, _: Step) -> Any:
        counted = self.client.counters
        return {
            "decisions_defaulted": counted.decisions_defaulted,
            "events_buffered": counted.events_buffered,
            "events_dropped": counted.events_dropped,
        }

    def _user(self, given: Mapping[str, Any]) -> User:
        attributes = native({"map": given.get("attributes", {})})
        options = {key: given[key] for key in ("anonymous_id", "datafile") if key in given}
        user = self.client.user(given["user_id"], attributes, **options)
        if "segments" in given:
            user = user.with_segments(given["segments"])
        for one in given.get("forced_decisions", ()):
            rule_key = one.get("rule_key", "")
            user = user.with_forced_decision(one["flag_key"], one["variation_key"], rule_key=rule_key)
        return user


def tls(*, mutual: bool) -> Tls:
    """The files that the environment names."""
    ca, certificate, key = (Path(os.environ[f"SIDECAR_{name}"]) for name in ("CA", "CERTIFICATE", "KEY"))
    if mutual:
        return Tls(ca_pem=ca.read_bytes(), certificate_pem=certificate.read_bytes(), key_pem=key.read_bytes())
    return Tls(ca_pem=ca.read_bytes())


def asked(step: Step) -> dict[str, Any]:
    """The options of a call for decisions that the step names."""
    return {key: step[key] for key in ("options", "decision_id", "strict") if key in step} | seconds(step)


def defaults(step: Step) -> dict[str, Any]:
    """The defaults of a call for several flags."""
    if "defaults" not in step:
        return {}
    return {"defaults": {key: default(key, one) for key, one in step["defaults"].items()}}


def main() -> None:
    """Answer every step; a line each way, so that the runner can act in between."""
    program = Program()
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(dumps(program.answer(json.loads(line))) + b"\n")
        sys.stdout.buffer.flush()
    program.client.close()


if __name__ == "__main__":
    main()
