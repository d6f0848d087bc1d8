"""The asyncio handle of a user: each method builds a call (`_decide`, `_events`) and has its client drive it.

Twin: `_user`, the same methods blocking; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

from sidecar_client import _decide, _events
from sidecar_client._handle import AsyncPerformer, Handle, new_id, stamp
from sidecar_client.decisions import Decision, Decisions
from sidecar_client.events import Accepted


class AsyncUser(Handle[AsyncPerformer]):
    """One user with its attributes.

    Decisions do not raise, unless `strict`; events raise SidecarError when they were not accepted.
    """

    __slots__ = ()

    async def decide(
        self, flag_key: str, default: Decision | None = None, **options: Unpack[_decide.DecideOptions]
    ) -> Decision:
        """Decide one flag. Without an answer it is `default`, else off, with SIDECAR_UNAVAILABLE."""
        return await self._client.perform(
            _decide.decide_one(self._identity, self._settings, new_id(), flag_key, default=default, details=options)
        )

    async def decide_many(
        self,
        flag_keys: Sequence[str],
        defaults: Mapping[str, Decision] | None = None,
        **options: Unpack[_decide.DecideOptions],
    ) -> Decisions:
        """Decide these flags at one revision, in this order; none asked for is none answered."""
        if not flag_keys:
            return Decisions([])
        return await self._client.perform(
            _decide.decide_several(
                self._identity, self._settings, new_id(), flag_keys, defaults=defaults, details=options
            )
        )

    async def decide_all(
        self, defaults: Mapping[str, Decision] | None = None, **options: Unpack[_decide.DecideOptions]
    ) -> Decisions:
        """Decide all flags of the datafile at one revision. Without an answer: the `defaults` alone."""
        return await self._client.perform(
            _decide.decide_several(self._identity, self._settings, new_id(), (), defaults=defaults, details=options)
        )

    async def track(self, event_key: str, **options: Unpack[_events.TrackOptions]) -> Accepted:
        """Something that the user did. Returns when it is written to the sidecar's disk."""
        return await self._client.perform(_events.track(self._identity, self._settings, stamp(), event_key, options))

    async def identify(
        self, traits: Mapping[str, object] | None = None, **options: Unpack[_events.EventOptions]
    ) -> Accepted:
        """Who the user is."""
        return await self._client.perform(
            _events.identify(self._identity, self._settings, stamp(), traits or {}, options)
        )

    async def page(self, name: str = "", **options: Unpack[_events.NamedOptions]) -> Accepted:
        """A page that the user saw."""
        return await self._client.perform(_events.page(self._identity, self._settings, stamp(), name, options))

    async def screen(self, name: str = "", **options: Unpack[_events.NamedOptions]) -> Accepted:
        """A screen of an app that the user saw."""
        return await self._client.perform(_events.screen(self._identity, self._settings, stamp(), name, options))

    async def group(
        self,
        group_id: str,
        traits: Mapping[str, object] | None = None,
        **options: Unpack[_events.EventOptions],
    ) -> Accepted:
        """The group, as a company or team, that the user belongs to."""
        return await self._client.perform(
            _events.group(self._identity, self._settings, stamp(), group_id, traits=traits or {}, details=options)
        )

    async def alias(self, previous_id: str, **options: Unpack[_events.EventOptions]) -> Accepted:
        """The user was known as `previous_id` until now."""
        return await self._client.perform(_events.alias(self._identity, self._settings, stamp(), previous_id, options))
