"""TLS of the native wire: HTTP/2 by ALPN, client certificates when an authority is given, new files at once.

Every handshake asks whether the files changed, through the one hook of `ssl` that may swap a handshake's context.
"""

from __future__ import annotations

import ssl

from sidecar.transport.certificates import Certificates
from sidecar.transport.listen import TlsFiles


class ServerTls:
    """The context to listen with; raises `ConfigInvalid` and `OSError` for files that cannot be used at the start."""

    def __init__(self, files: TlsFiles) -> None:
        self._certificates = Certificates(files, _context)
        self.context = self._newest = self._certificates.first()
        self.context.sni_callback = self._choose

    def _choose(
        self, handshake: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext | None
    ) -> None:
        """Called before certificates are shown, also for a client that names no server."""
        self._newest = self._certificates.if_changed() or self._newest
        handshake.context = self._newest


def _context(files: TlsFiles) -> ssl.SSLContext:
    files.raise_if_unusable()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Why no tickets: a resumed session would not show its certificate to a new authority.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.load_cert_chain(files.certificate, files.key, password="")
    context.set_alpn_protocols(["h2"])
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
