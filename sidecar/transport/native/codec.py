"""Whether the extension is there, and the one that this code was written for. Imports it: ask only when it counts."""

from __future__ import annotations

from typing import Final

API_VERSION: Final = 2
"""The version of the seam, `native/decision_sidecar_native.pyi`, that this package speaks."""


def missing() -> str:
    """Why the native wire cannot serve here, "" when it can."""
    try:
        import decision_sidecar_native
    except ImportError as absent:
        if absent.name == "decision_sidecar_native":
            return "the package decision-sidecar-native is not installed"
        return f"the package decision-sidecar-native cannot be loaded: {absent}"
    found = decision_sidecar_native.API_VERSION
    if found != API_VERSION:
        return f"the package decision-sidecar-native has API version {found}, wanted {API_VERSION}"
    return ""
