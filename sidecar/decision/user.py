"""The user of one call: everything about the caller that a decision may depend on.

Rules: docs/semantics.md B5 (bucketing id), D2 to D5 (forced, sticky).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sidecar.decision.bucketing import utf8
from sidecar.values import Value

BUCKETING_ID: Final = "$opt_bucketing_id"
_NO_ATTRIBUTES: Final[Mapping[str, Value]] = {}


class User:
    """Who is decided for. Made once a call on the hot path, so it is a plain class; treat it as frozen.

    `qualified_segments` is None when unset. `forced_decisions` maps (flag key, rule key or "") to a variation
    key, `forced_variations` and `profile` map an experiment id to a variation id: the first set by API, the
    second sticky.
    """

    __slots__ = (
        "attributes",
        "bucketing_bytes",
        "bucketing_id",
        "forced_decisions",
        "forced_variations",
        "profile",
        "qualified_segments",
        "user_id",
    )

    def __init__(  # noqa: PLR0917 - positional, as keywords cost a tenth of a decision
        self,
        user_id: str,
        attributes: Mapping[str, Value] = _NO_ATTRIBUTES,
        qualified_segments: frozenset[str] | None = None,
        forced_decisions: Mapping[tuple[str, str], str] | None = None,
        forced_variations: Mapping[str, str] | None = None,
        profile: Mapping[str, str] | None = None,
    ) -> None:
        self.user_id = user_id
        self.attributes = attributes
        self.qualified_segments = qualified_segments
        self.forced_decisions = forced_decisions
        self.forced_variations = forced_variations
        self.profile = profile
        bucketing_id = attributes.get(BUCKETING_ID)
        if not isinstance(bucketing_id, str):
            bucketing_id = user_id
        self.bucketing_id = bucketing_id
        self.bucketing_bytes = bucketing_id.encode() if bucketing_id.isascii() else utf8(bucketing_id)
