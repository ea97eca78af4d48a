"""The command line of the server without the rest of the command line: ``main(argv)``.

``chatsys serve`` and whoever forks a server come in here. It needs no click, which costs a start.
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence

from chatsys.config import ConfigError, Configuration, read, settings_of
from chatsys.server import logs
from chatsys.server.app import main as serve
from chatsys.server.gate import Gate, make_gate
from chatsys.server.reading import Reading
from chatsys.server.settings import Settings, is_loopback

log = logging.getLogger(__name__)


def main(
    argv: list[str],
    reading: type[Reading] = Reading,
    gate: Callable[[Settings], Gate] = make_gate,
) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        argv: Options, without the name of the program.
        reading: The reading side; a test server gives a subclass that lies.
        gate: Makes what lets callers in; a test server gives one that lets in too many.

    Returns:
        The exit status: 0 after a signal, 1 when it could not start, 2 for a bad configuration.
    """
    configuration = configure("chatsys serve", "Serve chatsys over gRPC.", argv)
    if isinstance(configuration, int):
        return configuration
    settings = configuration.settings
    logs.set_up(settings.log_level, settings.log_format)
    if settings.insecure_any_host and not is_loopback(settings.host):
        log.warning(
            "whoever reaches %s may be anybody and do everything (--insecure-any-host)", settings.host
        )
    if settings.auth == "tokens" and settings.tls_cert is None and not is_loopback(settings.host):
        log.warning(
            "tokens come in the clear to %s: add --tls-cert and --tls-key, or end TLS before this server",
            settings.host,
        )
    return serve(settings, reading, gate)


def configure(command: str, about: str, argv: Sequence[str]) -> Configuration[Settings] | int:
    """The configuration in effect, or the exit status when there is none: it was shown what is wrong, or the help."""
    if "--help" in argv:
        from chatsys.config.show import help_text  # noqa: PLC0415  # nobody who serves needs it

        sys.stdout.write(help_text(settings_of(Settings), command, about))
        return 0
    try:
        return read(Settings, argv, os.environ)
    except ConfigError as error:
        for fault in error.faults:
            sys.stderr.write(f"{command}: {fault}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
