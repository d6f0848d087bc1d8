"""The asyncio handle of a user: each method builds a call (`_decide`, `_events`) and has its client drive it.

Twin: `_user`, the same methods blocking; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

from sidecar_client import _decide, _events
from sidecar_client._explain import explain
from sidecar_client._handle import AsyncPerformer, Handle
from sidecar_client._stamps import new_id
from sidecar_client.decisions import DecideOption, Decision, Decisions
from sidecar_client.events import Accepted
from sidecar_client.explanations import Explanation


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

    async def decide_for_keys(
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

    async def explain(
        self, flag_key: str, options: Sequence[DecideOption] = (), *, timeout_s: float | None = None
    ) -> Explanation:
        """Why the user gets what it gets, rule by rule; records nothing. Raises SidecarError."""
        return await self._client.perform(explain(self._identity, self._settings, flag_key, options, timeout_s))

    async def track(
        self, event_key: str, *, timeout_s: float | None = None, **options: Unpack[_events.TrackOptions]
    ) -> Accepted:
        """Something that the user did. Returns when it is written to the sidecar's disk."""
        return await self._record(self.drafts.track(event_key, **options), timeout_s)

    async def identify(
        self,
        traits: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = None,
        **options: Unpack[_events.EventOptions],
    ) -> Accepted:
        """Who the user is."""
        return await self._record(self.drafts.identify(traits, **options), timeout_s)

    async def page(
        self, name: str = "", *, timeout_s: float | None = None, **options: Unpack[_events.NamedOptions]
    ) -> Accepted:
        """A page that the user saw."""
        return await self._record(self.drafts.page(name, **options), timeout_s)

    async def screen(
        self, name: str = "", *, timeout_s: float | None = None, **options: Unpack[_events.NamedOptions]
    ) -> Accepted:
        """A screen of an app that the user saw."""
        return await self._record(self.drafts.screen(name, **options), timeout_s)

    async def group(
        self,
        group_id: str,
        traits: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = None,
        **options: Unpack[_events.EventOptions],
    ) -> Accepted:
        """The group, as a company or team, that the user belongs to."""
        return await self._record(self.drafts.group(group_id, traits, **options), timeout_s)

    async def alias(
        self, previous_id: str, *, timeout_s: float | None = None, **options: Unpack[_events.EventOptions]
    ) -> Accepted:
        """The user was known as `previous_id` until now."""
        return await self._record(self.drafts.alias(previous_id, **options), timeout_s)

    async def _record(self, draft: _events.Draft, timeout_s: float | None) -> Accepted:
        return await self._client.record(_events.call(draft, self._settings, timeout_s))
