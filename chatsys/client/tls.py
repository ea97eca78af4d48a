"""TLS as a client sees it: whom it believes to be the server, and what it shows of itself."""

from __future__ import annotations

import re
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


_NOT_BELIEVED = re.compile(r"CERTIFICATE_VERIFY_FAILED(?:: ([a-zA-Z -]+))?")
_CLOSED = re.compile(r"Socket closed|Connection reset|Broken pipe", re.IGNORECASE)


def explain(details: str, target: str, *, speaks_tls: bool) -> str | None:
    """Say why no connection came about, and what to do, where TLS is the reason or may be.

    Args:
        details: what gRPC says of a call that ended UNAVAILABLE.
        target: "host:port".
        speaks_tls: whether this client does.

    Returns:
        A sentence; None when it has nothing to do with TLS.
    """
    if not details.startswith("failed to connect"):
        return None
    if not speaks_tls:
        if _CLOSED.search(details):
            return (
                f"{target} closes every connection in the clear, as a server does that speaks TLS: if it does, add"
                " --ca FILE or --tls (tls=Tls(...) in Python)"
            )
        return None
    if "WRONG_VERSION_NUMBER" in details:
        return (
            f"{target} does not speak TLS, and this client was told to: leave out --tls, --ca and --cert (tls= in"
            " Python), or name the port where it does"
        )
    believed = _NOT_BELIEVED.search(details)
    if believed is not None:
        why = (believed[1] or "not vouched for").strip()
        return (
            f"the certificate of {target} is not believed ({why}): name by --ca FILE (Tls(ca=...) in Python) who"
            " vouches for it"
        )
    if "Hostname Verification Check failed" in details:
        return f"the certificate of {target} is for another name: call the server by a name that is in it"
    if _CLOSED.search(details):
        return (
            f"{target} closed the connection when it saw whom it talks to: if it wants a certificate, add --cert FILE"
            " and --cert-key FILE (Tls(cert=..., key=...) in Python), of one that it believes"
        )
    return None
