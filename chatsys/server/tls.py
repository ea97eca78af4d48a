"""The server's side of TLS. Certificates are read again when their files change: renewing one needs no restart."""

import logging
import ssl
from pathlib import Path

import grpc

from chatsys.server.settings import Settings

log = logging.getLogger(__name__)


class TlsError(Exception):
    """Certificate or key cannot be used; the message is a whole sentence."""


class Certificates:
    """The files of one server.

    Args:
        cert: The server's certificate and those above it.
        key: Its key.
        client_ca: Who vouches for clients; None when they need not show anything.

    Raises:
        TlsError: They cannot be used.
    """

    def __init__(self, cert: Path, key: Path, client_ca: Path | None) -> None:
        self._cert, self._key, self._client_ca = cert, key, client_ca
        self._seen = self._marks()
        self._current = self._read()

    def credentials(self) -> grpc.ServerCredentials:
        """What gRPC is given."""
        return grpc.dynamic_ssl_server_credentials(
            self._current, self._changed, require_client_authentication=self._client_ca is not None
        )

    def _changed(self) -> "grpc.ServerCertificateConfiguration":
        """Asked by gRPC at every handshake."""
        marks = self._marks()
        if marks != self._seen:
            self._seen = marks
            try:
                self._current = self._read()
            except TlsError as error:
                log.error("the certificate stays as it was: %s", error)  # noqa: TRY400  # a sentence
            else:
                log.info("certificate read again from %s", self._cert)
        return self._current

    def _read(self) -> "grpc.ServerCertificateConfiguration":
        files = [path for path in (self._cert, self._key, self._client_ca) if path is not None]
        try:
            cert, key, *roots = (path.read_bytes() for path in files)
            # gRPC would say what is wrong with them only by failing every handshake.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._cert, self._key, password=lambda: "")
            if self._client_ca is not None:
                context.load_verify_locations(self._client_ca)
        except ssl.SSLError as error:
            names = ", ".join(map(str, files))
            raise TlsError(
                f"these do not go together as certificate and key: {names} ({error.reason or 'no PEM'})"
            ) from error
        except OSError as error:
            raise TlsError(f"{error.filename} cannot be read: {error.strerror}") from error
        return grpc.ssl_server_certificate_configuration([(key, cert)], roots[0] if roots else None)

    def _marks(self) -> object:
        return [_mark(path) for path in (self._cert, self._key, self._client_ca) if path is not None]


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """What the settings ask for; None to speak in the clear.

    Raises:
        TlsError: It cannot be done.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Certificates(settings.tls_cert, settings.tls_key, settings.client_ca).credentials()


def _mark(path: Path) -> object:
    try:
        stat = path.stat()
    except OSError as error:
        return error.errno
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
