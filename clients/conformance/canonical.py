"""RFC 8785 lines, and the comparison of what was answered with what was expected. Pure."""

from __future__ import annotations

import json
from typing import Any


def line(form: Any) -> bytes:
    """A form as a line of RFC 8785, which the runner's own lines are too."""
    return json.dumps(_sorted(form), ensure_ascii=False, separators=(",", ":")).encode()


def _sorted(form: Any) -> Any:
    if isinstance(form, dict):
        return {key: _sorted(form[key]) for key in sorted(form, key=lambda key: key.encode("utf-16-be"))}
    return [_sorted(each) for each in form] if isinstance(form, list) else form


def unlike(answer: bytes, step: dict[str, Any]) -> str:
    """Why an answer is not what its step expects, or no canonical line at all; empty when it is both."""
    try:
        given = json.loads(answer)
    except ValueError as error:
        return f"no JSON ({error}): {answer[:200]!r}"
    if line(given) != answer:
        return f"not canonical, wanted {line(given)[:200]!r}"
    if given.get("id") != step["id"]:
        return f"id is {given.get('id')!r}, wanted {step['id']!r}"
    if "expected_error" in step:
        return _unlike(given.get("error", f"a result: {given.get('result')}"), step["expected_error"])
    if "expected" not in step:
        return ""
    return f"an error: {given['error']}" if "error" in given else _unlike(given.get("result"), step["expected"])


def _unlike(got: Any, wanted: Any) -> str:
    """Of an object each member that is wanted must be equal; of a list each element must be like its own."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        found = {key: _member(got.get(key), wanted[key]) for key in wanted}
        return "; ".join(f"{key}: {each}" for key, each in found.items() if each)
    if isinstance(wanted, list) and isinstance(got, list) and len(got) == len(wanted):
        places = (_unlike(one, other) for one, other in zip(got, wanted, strict=True))
        return "; ".join(f"[{place}] {each}" for place, each in enumerate(places) if each)
    return _member(got, wanted)


def _member(got: Any, wanted: Any) -> str:
    if isinstance(wanted, list) and isinstance(got, list) and any(isinstance(each, dict) for each in wanted):
        return _unlike(got, wanted) if len(got) == len(wanted) else f"got {len(got)} of {len(wanted)}"
    return "" if got == wanted and type(got) is type(wanted) else f"got {got}, wanted {wanted}"
