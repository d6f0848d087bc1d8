"""The blocking handle of a user: each method builds a call (`_decide`, `_events`) and has its client drive it.

Twin: `_async_user`, the same methods awaited; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

from sidecar_client import _decide, _events
from sidecar_client._explain import explain
from sidecar_client._handle import Handle, Performer
from sidecar_client._stamps import new_id
from sidecar_client.decisions import DecideOption, Decision, Decisions
from sidecar_client.events import Accepted
from sidecar_client.explanations import Explanation


class User(Handle[Performer]):
    """One user with its attributes.

    Decisions do not raise, unless `strict`; events raise SidecarError when they were not accepted.
    """

    __slots__ = ()

    def decide(
        self, flag_key: str, default: Decision | None = None, **options: Unpack[_decide.DecideOptions]
    ) -> Decision:
        """Decide one flag. Without an answer it is `default`, else off, with SIDECAR_UNAVAILABLE."""
        return self._client.perform(
            _decide.decide_one(self._identity, self._settings, new_id(), flag_key, default=default, details=options)
        )

    def decide_for_keys(
        self,
        flag_keys: Sequence[str],
        defaults: Mapping[str, Decision] | None = None,
        **options: Unpack[_decide.DecideOptions],
    ) -> Decisions:
        """Decide these flags at one revision, in this order; none asked for is none answered."""
        if not flag_keys:
            return Decisions([])
        return self._client.perform(
            _decide.decide_several(
                self._identity, self._settings, new_id(), flag_keys, defaults=defaults, details=options
            )
        )

    def decide_all(
        self, defaults: Mapping[str, Decision] | None = None, **options: Unpack[_decide.DecideOptions]
    ) -> Decisions:
        """Decide all flags of the datafile at one revision. Without an answer: the `defaults` alone."""
        return self._client.perform(
            _decide.decide_several(self._identity, self._settings, new_id(), (), defaults=defaults, details=options)
        )

    def explain(
        self, flag_key: str, options: Sequence[DecideOption] = (), *, timeout_s: float | None = None
    ) -> Explanation:
        """Why the user gets what it gets, rule by rule; records nothing. Raises SidecarError."""
        return self._client.perform(explain(self._identity, self._settings, flag_key, options, timeout_s))

    def track(
        self, event_key: str, *, timeout_s: float | None = None, **options: Unpack[_events.TrackOptions]
    ) -> Accepted:
        """Something that the user did. Returns when it is written to the sidecar's disk."""
        return self._record(self.drafts.track(event_key, **options), timeout_s)

    def identify(
        self,
        traits: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = None,
        **options: Unpack[_events.EventOptions],
    ) -> Accepted:
        """Who the user is."""
        return self._record(self.drafts.identify(traits, **options), timeout_s)

    def page(
        self, name: str = "", *, timeout_s: float | None = None, **options: Unpack[_events.NamedOptions]
    ) -> Accepted:
        """A page that the user saw."""
        return self._record(self.drafts.page(name, **options), timeout_s)

    def screen(
        self, name: str = "", *, timeout_s: float | None = None, **options: Unpack[_events.NamedOptions]
    ) -> Accepted:
        """A screen of an app that the user saw."""
        return self._record(self.drafts.screen(name, **options), timeout_s)

    def group(
        self,
        group_id: str,
        traits: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = None,
        **options: Unpack[_events.EventOptions],
    ) -> Accepted:
        """The group, as a company or team, that the user belongs to."""
        return self._record(self.drafts.group(group_id, traits, **options), timeout_s)

    def alias(
        self, previous_id: str, *, timeout_s: float | None = None, **options: Unpack[_events.EventOptions]
    ) -> Accepted:
        """The user was known as `previous_id` until now."""
        return self._record(self.drafts.alias(previous_id, **options), timeout_s)

    def _record(self, draft: _events.Draft, timeout_s: float | None) -> Accepted:
        return self._client.record(_events.call(draft, self._settings, timeout_s))
