"""A datafile from Optimizely's CDN, by SDK key: an `HttpSource` with Optimizely's URLs and words.

Source of the URLs: Optimizely Feature Experimentation, "Get the datafile": cdn.optimizely.com for public
datafiles, config.optimizely.com with a bearer token for secure environments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from sidecar.config import Secret
from sidecar.sources.http import HttpSource, HttpSourceSection, check_pace, shown
from sidecar.values import Pause, no_pause, shortened

PUBLIC_URL: Final = "https://cdn.optimizely.com/datafiles/{sdk_key}.json"
SECURE_URL: Final = "https://config.optimizely.com/datafiles/auth/{sdk_key}.json"

_STATUS_WORDS: Final = {
    401: "the access token is missing or wrong",
    403: "the SDK key may be wrong, or its environment is secure and wants an access token that may read it",
    404: "the SDK key may be wrong",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizelySourceSection:
    """A datafile that Optimizely publishes, by the SDK key of its environment."""

    sdk_key: str = field(repr=False)
    """The SDK key of the environment. Shown shortened in logs and status."""

    access_token: Secret | None = None
    """The datafile access token of a secure environment; without one the public CDN is asked."""

    url_template: str = field(default="", repr=False)
    """A mirror's URL, `{sdk_key}` in place of the key; empty = Optimizely's own, public or secure by the
    token."""

    poll_interval_s: float = 60.0
    """Seconds between polls, at least 0.05, ± 10 %. A minute, as Optimizely Agent does; unchanged costs a
    304."""

    timeout_s: float = 10.0
    """Seconds for a whole fetch, redirects and body included, above 0."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a field out of its range."""
        if not self.sdk_key:
            raise ValueError("sdk_key is empty, wanted the SDK key of an environment")
        if self.url_template and "{sdk_key}" not in self.url_template:
            raise ValueError("url_template has no `{sdk_key}`, wanted a URL with it")
        check_pace(self.poll_interval_s, self.timeout_s)
        try:
            self.http()
        except ValueError as invalid:
            raise ValueError(f"url_template: {invalid}") from None

    @property
    def template(self) -> str:
        """The URL with `{sdk_key}` in place of the key."""
        return self.url_template or (PUBLIC_URL if self.access_token is None else SECURE_URL)

    def http(self) -> HttpSourceSection:
        """The section of the URL that the key stands for. Raises `ValueError` as that does."""
        return HttpSourceSection(
            url=self.template.replace("{sdk_key}", quote(self.sdk_key, safe="")),
            token=self.access_token,
            poll_interval_s=self.poll_interval_s,
            timeout_s=self.timeout_s,
        )


def optimizely_source(
    section: OptimizelySourceSection,
    *,
    jitter: Callable[[], float],
    gently: Callable[[], Pause] = lambda: no_pause,
) -> HttpSource:
    """The source of an SDK key; `jitter` gives numbers from 0 to 1, `gently` is as in `HttpSource`."""
    return HttpSource(
        section.http(),
        jitter=jitter,
        location=shown(section.template).replace("{sdk_key}", shortened(section.sdk_key)),
        words=_STATUS_WORDS,
        gently=gently,
    )
