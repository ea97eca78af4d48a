"""The command line of the server without the rest of the command line: ``main(argv)``.

``chatsys serve`` and whoever forks a server come in here. It uses argparse, which costs a start less than click.
"""

import argparse
import ipaddress
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from chatsys.server.app import main as serve
from chatsys.server.reading import Reading
from chatsys.server.settings import Settings

log = logging.getLogger(__name__)

RUN_VARIABLE = "CHATSIM_RUN"
"""Environment variable that names the run a server belongs to, unless ``--run-id`` does."""

_LEVELS = ("debug", "info", "warning", "error")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: list[str], reading: type[Reading] = Reading) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        argv: Options, without the name of the program.
        reading: The reading side; a test server gives a subclass that lies.

    Returns:
        The exit status: 0 after a signal, 1 when it could not start, 2 for bad options.
    """
    try:
        given = _parser().parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    fault = None if given.insecure_any_host else _fault(given.host, given.auth)
    if fault is not None:
        sys.stderr.write(f"chatsys serve: {fault}\n")
        return 2
    logging.basicConfig(
        level=given.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,  # a forked process may have inherited its parent's
    )
    if given.insecure_any_host and not _is_loopback(given.host):
        log.warning("whoever reaches %s may be anybody and do everything (--insecure-any-host)", given.host)
    return serve(
        Settings(host=given.host, port=given.port, data=given.data, auth=given.auth, run_id=given.run_id),
        reading,
    )


def data_directory() -> Path:
    """Where a server keeps its log when nobody says: durable, the user's own."""
    base = os.environ.get("XDG_DATA_HOME") or ""
    return (Path(base) if base else Path.home() / ".local" / "share") / "chatsys"


def _parser() -> _Parser:
    parser = _Parser(prog="chatsys serve", description="Serve chatsys over gRPC.", allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=_port,
        default=50051,
        help="port to listen on; 0 lets the system choose (default: 50051)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=data_directory(),
        metavar="DIR",
        help="where the log is kept (default: %(default)s)",
    )
    parser.add_argument(
        "--auth",
        type=_one_of("none"),
        default="none",
        metavar="{none}",
        help="none: callers name themselves and may do everything, on loopback only (default)",
    )
    parser.add_argument(
        "--insecure-any-host",
        action="store_true",
        help="let --host be any address, where whoever reaches it may be anybody, as on a private network",
    )
    parser.add_argument(
        "--run-id",
        type=_run_id,
        default=os.environ.get(RUN_VARIABLE, ""),
        metavar="ID",
        help=f"comes back in the metadata of every answer (default: ${RUN_VARIABLE})",
    )
    parser.add_argument(
        "--log-level",
        type=_one_of(*_LEVELS),
        default="info",
        metavar=f"{{{','.join(_LEVELS)}}}",
        help="what to log to stderr (default: info)",
    )
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; a port is a number from 0 to 65535")
    return int(text)


def _one_of(*known: str) -> Callable[[str], str]:
    """Like argparse's `choices`, whose sentence differs from one Python to the next."""

    def choice(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"{text!r} is not known here; choose from {', '.join(known)}")
        return text

    return choice


def _run_id(text: str) -> str:
    if not all("!" <= each <= "~" for each in text):
        raise argparse.ArgumentTypeError(f"{text!r} is no run id; use printable ASCII without blanks")
    return text


def _fault(host: str, auth: str) -> str | None:
    """What is wrong with options that are each well formed."""
    if auth == "none" and not _is_loopback(host):
        return (
            f"--auth none lets every caller be anybody, so it listens on loopback only, not on {host};"
            " use --host 127.0.0.1, or add --insecure-any-host on a network where all may be trusted"
        )
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
