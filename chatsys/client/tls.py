"""TLS as a client sees it: whom it believes to be the server, and what it shows of itself."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import grpc


class Tls(NamedTuple):
    """How to reach a server that speaks TLS. All of it PEM."""

    ca: bytes | None = None
    """Certificates that vouch for the server; None: those that gRPC brings along."""
    cert: bytes | None = None
    """Our own, for a server that wants one (mTLS), and beside it its key."""
    key: bytes | None = None

    @classmethod
    def read(cls, ca: str | None = None, cert: str | None = None, key: str | None = None) -> Tls:
        """Read them from files.

        Raises:
            OSError: one cannot be read.
            ValueError: a certificate without key, or a key without certificate.
        """
        if (cert is None) != (key is None):
            raise ValueError("a certificate and its key go together")
        return cls(*(None if path is None else Path(path).read_bytes() for path in (ca, cert, key)))

    def credentials(self) -> grpc.ChannelCredentials:
        """Return it as gRPC wants it."""
        return grpc.ssl_channel_credentials(self.ca, self.key, self.cert)
