"""Sticky profiles as decisions see them: a look-up that is bounded in time, and saves that nobody waits for.

`profiles` is the act, `saves` its writer, `patience` when a store that is down is asked again, `stats` what is counted.
Rules: docs/semantics.md D5; why so: docs/decisions/0040-sticky-profiles.md.
"""

from sidecar.sticky.profiles import Sticky, StickyProfiles
from sidecar.sticky.stats import StickyStats

__all__ = ["Sticky", "StickyProfiles", "StickyStats"]
