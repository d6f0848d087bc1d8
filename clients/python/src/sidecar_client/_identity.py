"""Who a call is about, encoded once: a handle asks many decisions with the same user and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sidecar_client._encoding import put_all
from sidecar_client.decisions import ForcedDecision
from sidecar_client.pb import decision_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user with everything that its decisions depend on. Immutable, so safe to share.

    `segments` None = unset, which is not the same as in none. Raises as `_encoding.put_all` for attributes
    and ValueError for text that is no Unicode.
    """

    user_id: str
    anonymous_id: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)
    forced: tuple[ForcedDecision, ...] = ()
    segments: tuple[str, ...] | None = None
    datafile: str = ""
    request: decision_pb2.DecideRequest = field(init=False, repr=False, compare=False)
    """The fields of a Decide that do not change from call to call; read only."""
    prefix: bytes = field(init=False, repr=False, compare=False)
    """`request` as bytes. Why: protobuf merges concatenated messages, so a call appends its few bytes."""

    def __post_init__(self) -> None:
        for name in ("user_id", "anonymous_id", "datafile"):
            _check_text(name, getattr(self, name))
        request = decision_pb2.DecideRequest(
            user_id=self.user_id,
            forced_decisions=[
                decision_pb2.ForcedDecision(
                    flag_key=each.flag_key, rule_key=each.rule_key, variation_key=each.variation_key
                )
                for each in self.forced
            ],
            datafile=self.datafile,
        )
        if self.segments is not None:
            request.qualified_segments.SetInParent()
            request.qualified_segments.keys.extend(self.segments)
        put_all(request.attributes, self.attributes, "attributes")
        object.__setattr__(self, "attributes", dict(self.attributes))
        object.__setattr__(self, "request", request)
        object.__setattr__(self, "prefix", request.SerializeToString())

    def force(self, forced: ForcedDecision) -> Identity:
        """The same user with one more forced decision; one for the same flag and rule is replaced."""
        place = (forced.flag_key, forced.rule_key)
        others = tuple(each for each in self.forced if (each.flag_key, each.rule_key) != place)
        return replace(self, forced=(*others, forced))

    def unforce(self, flag_key: str, rule_key: str) -> Identity:
        """The same user without the forced decision for that flag and rule, if there is one."""
        kept = tuple(each for each in self.forced if (each.flag_key, each.rule_key) != (flag_key, rule_key))
        return replace(self, forced=kept)


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} is {type(value).__name__} `{value}`, wanted str")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name} is text with a lone surrogate, wanted Unicode: {value!a}") from None
