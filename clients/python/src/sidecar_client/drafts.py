"""Events that are made now and sent later: `user.drafts.track(…)`, for `client.import_events`. No call is made here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from sidecar_client import _events
from sidecar_client._events import Draft
from sidecar_client._identity import Identity
from sidecar_client._stamps import stamp


class Drafts:
    """The six events of one user, with the arguments of the user's own methods; each has its id and time now.

    Every method raises TypeError or ValueError, with the path of the value, for what has no wire form.
    """

    __slots__ = ("_identity",)

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def track(self, event_key: str, **options: Unpack[_events.TrackOptions]) -> Draft:
        """Something that the user did."""
        return _events.track(self._identity, stamp(), event_key, options)

    def identify(self, traits: Mapping[str, object] | None = None, **options: Unpack[_events.EventOptions]) -> Draft:
        """Who the user is."""
        return _events.identify(self._identity, stamp(), traits or {}, options)

    def page(self, name: str = "", **options: Unpack[_events.NamedOptions]) -> Draft:
        """A page that the user saw."""
        return _events.page(self._identity, stamp(), name, options)

    def screen(self, name: str = "", **options: Unpack[_events.NamedOptions]) -> Draft:
        """A screen of an app that the user saw."""
        return _events.screen(self._identity, stamp(), name, options)

    def group(
        self, group_id: str, traits: Mapping[str, object] | None = None, **options: Unpack[_events.EventOptions]
    ) -> Draft:
        """The group, as a company or team, that the user belongs to."""
        return _events.group(self._identity, stamp(), group_id, traits or {}, options)

    def alias(self, previous_id: str, **options: Unpack[_events.EventOptions]) -> Draft:
        """The user was known as `previous_id` until now."""
        return _events.alias(self._identity, stamp(), previous_id, options)
