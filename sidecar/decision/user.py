"""The user of one call: everything about the caller that a decision may depend on.

Rules: docs/semantics.md B5 (bucketing id), D2 to D5 (forced, sticky).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from sidecar.decision.bucketing import utf8
from sidecar.values import Value

BUCKETING_ID: Final = "$opt_bucketing_id"
_NO_ATTRIBUTES: Final[Mapping[str, Value]] = {}


class User(Struct, eq=False, gc=False):
    """Who is decided for. Made once a call on the hot path: positional, and treated as frozen.

    `qualified_segments` is None when unset. `forced_decisions` maps (flag key, rule key or "") to a variation
    key, `forced_variations` and `profile` map an experiment id to a variation id: the first set by API, the
    second sticky.
    """

    user_id: str
    attributes: Mapping[str, Value] = _NO_ATTRIBUTES
    qualified_segments: frozenset[str] | None = None
    forced_decisions: Mapping[tuple[str, str], str] | None = None
    forced_variations: Mapping[str, str] | None = None
    profile: Mapping[str, str] | None = None
    bucketing_bytes: bytes = b""
    """What is hashed for this user. Made here, as what follows."""
    is_plain: bool = True
    """Whether nothing is set for this user: attributes, segments and traffic decide."""

    def __post_init__(self) -> None:
        chosen = self.attributes.get(BUCKETING_ID)
        id_ = chosen if isinstance(chosen, str) else self.user_id
        try:
            # `utf8`, without the call.
            self.bucketing_bytes = id_.encode()
        except UnicodeEncodeError:
            self.bucketing_bytes = utf8(id_)
        if self.forced_decisions or self.forced_variations or self.profile:
            self.is_plain = False

    @property
    def bucketing_id(self) -> str:
        """The id that stands for the user where traffic is shared out (B5)."""
        chosen = self.attributes.get(BUCKETING_ID)
        return chosen if isinstance(chosen, str) else self.user_id
