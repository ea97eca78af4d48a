"""Who watches the calls of one server, put together from its settings. What is not asked for is not imported."""

import asyncio
import logging
from collections.abc import Callable

from chatsys.server import logs
from chatsys.server.observe import Watcher, all_of
from chatsys.server.services import House
from chatsys.server.settings import Settings

log = logging.getLogger(__name__)


class WatchingError(Exception):
    """Something cannot be watched as it was asked for; the message is a whole sentence."""


class Watching:
    """Logs, metrics and traces of one server.

    Attributes:
        watcher: Told of each call; None when nobody watches.
        port: Where metrics are; None for nowhere.
    """

    def __init__(self) -> None:
        self.watcher: Watcher | None = None
        self.port: int | None = None
        self._page: asyncio.Server | None = None
        self._flush: Callable[[], None] | None = None

    async def start(self, settings: Settings, house: House) -> None:
        """Begins.

        Raises:
            WatchingError: It cannot.
        """
        watchers: list[Watcher] = []
        if settings.log_requests != "none" and log.isEnabledFor(logging.INFO):
            watchers.append(logs.request_logger(settings.log_requests))
        if settings.metrics_port is not None:
            watchers.append(await self._metrics(settings, house, settings.metrics_port))
        if settings.tracing:
            watchers.append(self._traces())
        self.watcher = all_of(watchers)

    def stop(self) -> None:
        """Shows nothing any more."""
        if self._page is not None:
            self._page.close()

    def flush(self) -> None:
        """Sends what is left, which takes its time where nobody takes it: the last thing that a server does."""
        if self._flush is not None:
            self._flush()

    async def _metrics(self, settings: Settings, house: House, port: int) -> Watcher:
        from chatsys.server import metrics  # noqa: PLC0415  # see the module's docstring

        kept = metrics.Metrics(house)
        try:
            self._page = await metrics.serve(
                kept, settings.metrics_host, port, lambda: not house.hub.draining
            )
        except (OSError, UnicodeError) as error:  # the latter of a name that can be no host's
            why = error.strerror or error if isinstance(error, OSError) else "it is no name of a host"
            raise WatchingError(
                f"cannot serve metrics on {settings.metrics_host}:{port}: {why};"
                " choose another --metrics-port (0 lets the system choose) or --metrics-host"
            ) from error
        self.port = self._page.sockets[0].getsockname()[1]
        return kept.watch

    def _traces(self) -> Watcher:
        try:
            from chatsys.server import tracing  # noqa: PLC0415  # see the module's docstring

            watcher, self._flush = tracing.make_watcher()
        except ImportError as error:
            raise WatchingError(
                f"--tracing needs what is not installed ({error.name}): pip install 'chatsim[tracing]'"
            ) from error
        return watcher
