"""The reader of plain requests that comes with the codec: see `sidecar.rpc.plain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from decision_sidecar_native import PlainReader

if TYPE_CHECKING:
    from sidecar.rpc.plain import Read


def reader(fields: Sequence[tuple[int, int, int]], *, key_bytes_max: int, value_bytes_max: int) -> Read:
    """A reader of messages that have these fields alone; see `rpc.plain.MakesReader`."""
    return PlainReader(fields, key_bytes_max=key_bytes_max, value_bytes_max=value_bytes_max).read
