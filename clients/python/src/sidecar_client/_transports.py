"""Which transport a client speaks through: the native one where its codec is, else grpcio. Neither is imported before.

`SIDECAR_CLIENT_TRANSPORT` in the environment stands above what `connect` was told, so that an operator may change it.
"""

from __future__ import annotations

import os
from typing import Final

from sidecar_client import _codec
from sidecar_client.settings import TRANSPORTS, Settings
from sidecar_client.transport import AsyncTransport, Transport

VARIABLE: Final = "SIDECAR_CLIENT_TRANSPORT"


def blocking(settings: Settings) -> Transport:
    """The transport of a blocking client. Raises ValueError for one that is asked for and not there."""
    if _native(settings):
        from sidecar_client._native import NativeTransport  # noqa: PLC0415 - only the one in use is loaded

        return NativeTransport(settings)
    from sidecar_client._grpcio import GrpcTransport  # noqa: PLC0415 - only the one in use is loaded

    return GrpcTransport(settings)


def awaiting(settings: Settings) -> AsyncTransport:
    """The transport of a client for asyncio. Raises as `blocking`."""
    if _native(settings):
        from sidecar_client._native_async import AsyncNativeTransport  # noqa: PLC0415 - only the one in use is loaded

        return AsyncNativeTransport(settings)
    from sidecar_client._grpcio import AsyncGrpcTransport  # noqa: PLC0415 - only the one in use is loaded

    return AsyncGrpcTransport(settings)


def _native(settings: Settings) -> bool:
    name = os.environ.get(VARIABLE) or str(settings.transport)
    if name not in TRANSPORTS:
        raise ValueError(f"{VARIABLE} is `{name}`, wanted {', '.join(TRANSPORTS)}")
    if name == "grpcio":
        return False
    missing = _codec.missing()
    if missing and name == "native":
        raise ValueError(f"transport is `native`, but {missing}")
    return not missing
