"""What both clients and both handles of a user share: settings, counters, who it is. No call is made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Generic, Protocol, Self, TypeVar

from sidecar_client._calls import Call, Counters
from sidecar_client._identity import Identity
from sidecar_client.decisions import ForcedDecision
from sidecar_client.drafts import Drafts
from sidecar_client.events import Accepted
from sidecar_client.settings import Settings

Owner = TypeVar("Owner")
Answer = TypeVar("Answer")


class Performer(Protocol):
    """What a blocking handle needs of its client."""

    def perform(self, call: Call[Answer]) -> Answer:
        """Drive one call to its answer, its fallback's answer, or a SidecarError."""
        ...

    def record(self, call: Call[Accepted]) -> Accepted:
        """Drive the call of one event, or keep it when no sidecar takes it and the client has a buffer."""
        ...


class AsyncPerformer(Protocol):
    """What a handle for asyncio needs of its client."""

    async def perform(self, call: Call[Answer]) -> Answer:
        """As Performer.perform."""
        ...

    async def record(self, call: Call[Accepted]) -> Accepted:
        """As Performer.record."""
        ...


class ClientState:
    """What both clients hold besides their transport."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counters = Counters()

    def identity(
        self, user_id: str, attributes: Mapping[str, object] | None, anonymous_id: str, datafile: str
    ) -> Identity:
        """A user of this client's datafile, unless it names its own."""
        return Identity(
            user_id=user_id,
            anonymous_id=anonymous_id,
            attributes=attributes or {},
            datafile=datafile or self.settings.datafile,
        )


class Handle(Generic[Owner]):
    """One user with its attributes. Immutable: what changes it returns another handle."""

    __slots__ = ("_client", "_identity", "_settings")

    def __init__(self, client: Owner, settings: Settings, identity: Identity) -> None:
        self._client = client
        self._settings = settings
        self._identity = identity

    @property
    def user_id(self) -> str:
        """The user's id; empty when only an anonymous id is known."""
        return self._identity.user_id

    @property
    def attributes(self) -> Mapping[str, object]:
        """The user's attributes."""
        return self._identity.attributes

    @property
    def identity(self) -> Identity:
        """Who it is, as the calls of the client need it."""
        return self._identity

    @property
    def drafts(self) -> Drafts:
        """The events of this user to be sent later: `client.import_events([user.drafts.track("purchase")])`."""
        return Drafts(self._identity)

    def with_attributes(self, attributes: Mapping[str, object] | None = None, **more: object) -> Self:
        """The same user with these attributes added or replaced."""
        merged = {**self._identity.attributes, **(attributes or {}), **more}
        return self._like(replace(self._identity, attributes=merged))

    def with_segments(self, segments: Iterable[str] | None) -> Self:
        """The same user in exactly these segments, for `qualified` conditions; None = unset."""
        known = None if segments is None else tuple(segments)
        return self._like(replace(self._identity, segments=known))

    def with_forced_decision(self, flag_key: str, variation_key: str, *, rule_key: str = "") -> Self:
        """The same user with a variation imposed: on one rule, or without `rule_key` on the whole flag."""
        forced = ForcedDecision(flag_key=flag_key, variation_key=variation_key, rule_key=rule_key)
        return self._like(self._identity.force(forced))

    def without_forced_decision(self, flag_key: str, *, rule_key: str = "") -> Self:
        """The same user without that forced decision; none is no error."""
        return self._like(self._identity.unforce(flag_key, rule_key))

    def _like(self, identity: Identity) -> Self:
        return type(self)(self._client, self._settings, identity)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._identity.user_id!r}, {self._identity.attributes!r})"
