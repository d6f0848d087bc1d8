"""Remembers which (user, experiment) got an impression from this process, so that a conversion can be told to count.

A hint and nothing else: it blocks, drops and alarms for nobody, and knows the process of this data directory alone.
`sketch` is what is remembered, `file` how it is kept, `service` the act. Rules: docs/decisions/0041-exposures.md.
"""

from sidecar.exposures.service import Exposures, ExposuresSection

__all__ = ["Exposures", "ExposuresSection"]
