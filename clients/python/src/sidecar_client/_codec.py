"""What both native transports share: whether the codec is there, where its connections go, how a try ends. No socket.

The codec is `decision_sidecar_native`, gRPC over HTTP/2 without I/O: bytes in, calls out. Its extension is imported by
`missing` and by the modules of the native transports, and by nothing else.
"""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sidecar_client.settings import Settings, Tls
from sidecar_client.transport import WireFailure

if TYPE_CHECKING:
    from decision_sidecar_native import ClientConnection, Outcome

API_VERSION: Final = 2
"""The version of the codec's interface that this client speaks."""
OK: Final = 0
UNAVAILABLE: Final = 14
CODES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""gRPC's status codes by number."""

CONNECT_S_MAX: Final = 20.0
"""A connection that is not there by then is begun anew; gRPC's own bound."""
RECONNECT_S_MIN: Final = 0.1
RECONNECT_S_MAX: Final = 1.0
"""The pause after a connection that failed doubles from the one to the other."""
IDLE_S: Final = 0.05
"""What is read for so long by nobody is looked at before the next call: a restarted sidecar has said goodbye there."""
OUTPUT_BYTES: Final = 256 * 1024
"""So much at a time goes from the codec to the socket: what the socket does not take stays bounded."""


def missing() -> str:
    """Why the native transport cannot be used here, "" when it can."""
    if not hasattr(socket, "MSG_DONTWAIT"):
        return "this system has no MSG_DONTWAIT"
    try:
        import decision_sidecar_native  # noqa: PLC0415 - it may be absent
    except ImportError as absent:
        if absent.name == "decision_sidecar_native":
            return "the package decision-sidecar-native is not installed"
        return f"the package decision-sidecar-native cannot be loaded: {absent}"
    found = decision_sidecar_native.API_VERSION
    if found != API_VERSION:
        return f"the package decision-sidecar-native has API version {found}, wanted {API_VERSION}"
    return ""


class Target:
    """Where the sidecar is, by the address of the settings. TLS files are read by the first `secured`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        kind, _, path = settings.address.partition(":")
        host, _, port = settings.address.rpartition(":")
        self.path = "" if kind != "unix" else path.removeprefix("//")
        """Of a Unix socket; empty = TCP."""
        self.host, self.port = ("localhost", 0) if self.path else (host.strip("[]"), int(port))
        tls = settings.tls if isinstance(settings.tls, Tls) else Tls()
        self.server_name = tls.server_name or self.host
        """What the certificate must be for."""

    def secured(self) -> ssl.SSLContext | None:
        """The TLS context, None for plain text. Raises OSError, of which SSLError is one, for PEM that is none."""
        if self._settings.tls is False:
            return None
        if self._context is None:
            self._context = _context(self._settings.tls if isinstance(self._settings.tls, Tls) else Tls())
        return self._context

    def codec(self, now_s: float) -> ClientConnection:
        """A new connection's codec."""
        from decision_sidecar_native import ClientConnection, Limits  # noqa: PLC0415 - as in `missing`

        tls = self._settings.tls
        named = tls.server_name if isinstance(tls, Tls) else ""
        return ClientConnection(
            scheme="http" if tls is False else "https",
            authority=named or ("localhost" if self.path else self._settings.address),
            user_agent="decision-sidecar-client-python",
            # Why no keepalive: a call has its deadline, and a sidecar next door does not vanish in silence.
            limits=Limits(message_bytes_max=self._settings.reply_bytes_max, keepalive_after_s=None),
            now_s=now_s,
        )

    def __str__(self) -> str:
        return self._settings.address


def _context(tls: Tls) -> ssl.SSLContext:
    """Certificates are checked, and HTTP/2 is the only protocol spoken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if tls.ca_pem is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=tls.ca_pem.decode("ascii", "replace"))
    if tls.certificate_pem is not None and tls.key_pem is not None:
        _load_own(context, tls.certificate_pem + b"\n" + tls.key_pem)
    return context


def _load_own(context: ssl.SSLContext, pem: bytes) -> None:
    """Show this certificate. OpenSSL, as Python gives it, reads a key from a file alone: one that only we can open."""
    descriptor, path = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        context.load_cert_chain(path, password="")
    finally:
        Path(path).unlink()


class Backoff:
    """When a connection may be tried again, for all calls of a transport. The clock is an argument."""

    def __init__(self) -> None:
        self._failures = 0
        self._until_s = 0.0
        self._problem = ""

    def failed(self, now_s: float, problem: str) -> None:
        """A connection could not be made, or broke before the sidecar had said a word on it."""
        pause_s = min(RECONNECT_S_MIN * 2 ** min(self._failures, 16), RECONNECT_S_MAX)
        self._failures += 1
        self._until_s, self._problem = now_s + pause_s, problem

    def answered(self) -> None:
        """The sidecar spoke: the next connection is tried at once."""
        self._failures, self._until_s = 0, 0.0

    def check(self, now_s: float) -> None:
        """Raises WireFailure, code UNAVAILABLE, as long as the last failure stands."""
        if now_s < self._until_s:
            raise unavailable(self._problem)


def unavailable(problem: str) -> WireFailure:
    """What a call without a connection fails with."""
    return WireFailure("UNAVAILABLE", problem)


def late(timeout_s: float) -> WireFailure:
    """What a call fails with whose deadline has passed."""
    return WireFailure("DEADLINE_EXCEEDED", f"no answer within {timeout_s:.3f} s")


def failure_of(outcome: Outcome) -> WireFailure:
    """A call that the sidecar, or the codec, ended with another status than OK."""
    code = CODES[outcome.code] if outcome.code < len(CODES) else "UNKNOWN"
    return WireFailure(code, outcome.status_message, outcome.details)
