"""``Listener``: the port, and the gRPC server on it, which is begun anew when it has broken.

grpc.aio takes a path that is not UTF-8 for the end of the world: whoever reaches the port, token or none, ends its
server with one frame (seen with grpcio 1.85). Nothing that Python can register is asked before that. So the server
is watched, and another one takes its place on the same port: connections end, as they do when a network fails, and
whatever was acknowledged is there. Invariant: while the process runs, its port is served or about to be.
"""

import logging
import socket

import grpc

from chatsys.server.router import Router
from chatsys.server.settings import Settings

log = logging.getLogger(__name__)

LOOK = 0.1
"""Seconds between two looks at whether the server still serves: gRPC tells nobody."""


class CannotServeError(Exception):
    """The server cannot start; the message is a whole sentence."""


class Listener:
    """Serves the calls of a router on a port.

    Args:
        settings: Where and how.
        router: What is served.
    """

    def __init__(self, settings: Settings, router: Router) -> None:
        self._settings = settings
        self._router = router
        self._server: grpc.aio.Server | None = None
        self._port = settings.port

    async def start(self) -> int:
        """Begins to serve.

        Returns:
            The port, which the system chose where 0 was asked for.

        Raises:
            CannotServeError: The port cannot be had, or the certificate cannot be used.
        """
        server = grpc.aio.server(options=_options(self._settings))
        server.add_generic_rpc_handlers((self._router,))
        self._port = _bind(server, self._settings, self._port)
        await server.start()
        self._server = server
        return self._port

    async def keep(self) -> None:
        """Begins anew whenever the server has broken; until it is cancelled.

        Raises:
            CannotServeError: The port is gone.
        """
        while True:
            assert self._server is not None, "keep() comes after start()"
            try:
                await self._server.wait_for_termination(LOOK)
            except Exception as error:  # noqa: BLE001  # whatever it was, others want to be served
                log.warning("gRPC gave up on what somebody sent (%s); all connections begin anew", error)
                await self._server.stop(None)
                await self.start()

    async def stop(self, grace: float) -> None:
        """Ends what is left after so many seconds."""
        if self._server is not None:
            await self._server.stop(grace)


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 0),  # a port in use must be an error, not a second server behind it
        ("grpc.max_receive_message_length", settings.limits.max_request_bytes),
        ("grpc.max_send_message_length", -1),
        # Beyond the first gRPC refuses some requests at random, beyond the second all.
        ("grpc.max_metadata_size", settings.limits.max_metadata_bytes),
        ("grpc.absolute_max_metadata_size", settings.limits.max_metadata_bytes),
        # gRPC cancels calls that wait to be accepted beyond these; a burst of clients is no fault.
        ("grpc.server.max_pending_requests", 100_000),
        ("grpc.server.max_pending_requests_hard_limit", 200_000),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
        ("grpc.http2.max_pings_without_data", 0),
    ]


def _bind(server: grpc.aio.Server, settings: Settings, wanted: int) -> int:
    six = ":" in settings.host
    host = f"[{settings.host}]" if six else settings.host
    try:
        # Tried first with a plain socket, which can say why not; gRPC only writes to stderr.
        with socket.socket(socket.AF_INET6 if six else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, wanted))
        if settings.tls_cert is None:
            port = server.add_insecure_port(f"{host}:{wanted}")
        else:
            from chatsys.server.tls import TlsError, server_credentials  # noqa: PLC0415  # most starts need no ssl

            try:
                credentials = server_credentials(settings)
            except TlsError as error:
                raise CannotServeError(str(error)) from error
            assert credentials is not None, "there is a certificate"
            port = server.add_secure_port(f"{host}:{wanted}", credentials)
    except OSError as error:
        raise _cannot_listen(host, wanted, error.strerror or str(error)) from error
    except RuntimeError as error:
        raise _cannot_listen(host, wanted, "it was taken a moment ago") from error
    return port


def _cannot_listen(host: str, port: int, why: str) -> CannotServeError:
    return CannotServeError(
        f"cannot listen on {host}:{port}: {why}; choose another --port (0 lets the system choose) or --host"
    )
