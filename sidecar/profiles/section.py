"""The configuration of sticky profiles and of forced variations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sidecar.config import Secret
from sidecar.limits import PROFILE_WAIT_S


class StoreName(StrEnum):
    """Where sticky profiles are kept."""

    OFF = "off"
    ON = "on"
    MEMORY = "memory"
    SQLITE = "sqlite"
    REDIS = "redis"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilesSection:
    """Sticky profiles: a user keeps the variation that traffic first chose, whatever becomes of the traffic."""

    store: StoreName = StoreName.OFF
    """Where they are kept. `memory`: gone with the process. `sqlite`: in the data directory, over a restart, for this
    process alone. `redis`: shared by all pods; needs the extra `decision-sidecar[redis]`. `on` is `sqlite`. Default
    `off`: decisions then wait for nothing."""

    url: Secret | None = None
    """Address of the Redis, `redis://[USER:PASSWORD@]HOST:PORT/NUMBER`, `rediss://…` for TLS or `unix://PATH`. Required
    with `store: redis`, else refused."""

    prefix: str = "sidecar:profile:"
    """What the keys of the Redis begin with: a user's profile is the hash PREFIX + project id + `:` + user id, of
    variation id by experiment id."""

    ttl_s: float | None = None
    """How long the Redis keeps a profile after its last change, at least a second; absent = for ever. With `store:
    redis` alone."""

    wait_s: float = PROFILE_WAIT_S
    """How long a decision waits for a profile before it goes on without it, more than 0, at most 1 s. Default 20 ms:
    many times what a store nearby takes, and what a service can spare now and then."""

    entries_max: int | None = None
    """Bound of what is kept: users for `memory` (default 100,000), pairs of user and experiment for `sqlite` (default
    1,000,000, some 165 MB); at least 1. The ones changed longest ago are forgotten first. Not for `redis`, which has
    its own."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for fields that contradict each other."""
        redis = self.store is StoreName.REDIS
        if redis and not self.url:
            raise ValueError("store is `redis` and url is missing, wanted its address, as `redis://host:6379/0`")
        if not redis and (self.url or self.ttl_s is not None):
            raise ValueError(f"url or ttl is given and store is `{self.store}`, wanted them with `redis` alone")
        if redis and self.entries_max is not None:
            raise ValueError("entries_max is given and store is `redis`, wanted it with `memory` or `sqlite` alone")
        if self.url and not self.url.reveal().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("url begins with neither `redis://`, `rediss://` nor `unix://`")
        if not 0 < self.wait_s <= 1:
            raise ValueError(f"wait is {self.wait_s:g} s, wanted more than 0 and at most 1 s")
        if self.ttl_s is not None and self.ttl_s < 1:
            raise ValueError(f"ttl is {self.ttl_s:g} s, wanted at least 1 s")
        if self.entries_max == 0:
            raise ValueError("entries_max is 0, wanted at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedVariationsSection:
    """Variations that `ClassicService.SetForcedVariation` sets for one user and experiment, for every caller."""

    stored: bool = False
    """Whether they are kept in the data directory, over a restart. Default false, as in Optimizely's SDKs: they are
    for tests, and a forgotten one is gone with the process."""
