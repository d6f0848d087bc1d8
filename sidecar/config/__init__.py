"""Typed configuration: a section is a frozen dataclass with a docstring under each field, declared where it is used.

A field is named once; its YAML key, flag and variable derive from that name: `outbox.bytes_max` is
`outbox: {bytes_max: …}`, `--outbox-bytes-max` and `SIDECAR_OUTBOX_BYTES_MAX`. A field that ends in `_s` is a
duration: its key drops the suffix and takes `5s`, `250ms`, `2m`, `1h` or a number of seconds.

`read` makes a section of a mapping and reports every mistake at once, each with its path. Nothing here knows a section;
`app.settings` composes them. Reference of all fields: docs/configuration.md, generated from the declarations.
"""

from sidecar.config.options import Option, from_environment, merge, options, put
from sidecar.config.reading import kind_of, read, shown, suggestion
from sidecar.config.secret import Secret
from sidecar.config.types import key_of, required

__all__ = [
    "Option",
    "Secret",
    "from_environment",
    "key_of",
    "kind_of",
    "merge",
    "options",
    "put",
    "read",
    "required",
    "shown",
    "suggestion",
]
