"""What `send`, `poll`, `tail` and `health` share: how to name the server and oneself, and how a failure ends.

Exit codes: 0 done · 1 refused by the server · 2 wrong usage · 3 no answer, so its fate is unknown · 130 Ctrl-C.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from chatsys.core.check import is_user_id, no_user_id

if TYPE_CHECKING:  # gRPC takes 60 ms to import; --help does without
    from chatsys.client import Client, Delta, Tls
    from chatsys.v1.types_pb2 import Message

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

REFUSED, UNANSWERED, INTERRUPTED = 1, 3, 130


class Who(NamedTuple):
    """Where the server is and who is talking."""

    server: str
    user: str | None
    token: str | None
    timeout: float
    tls: Tls | None = None


class _Server(click.ParamType[str]):
    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        host, colon, port = str(value).rpartition(":")
        if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
            self.fail(f"{value!r} is not HOST:PORT, such as 127.0.0.1:7777", param, ctx)
        return str(value)


class _Seconds(click.ParamType[float]):
    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(str(value).removesuffix("s"))
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < 1e9:
            self.fail(f"{value!r} is not a number of seconds, such as 2 or 0.5", param, ctx)
        return seconds


SERVER = _Server()
SECONDS = _Seconds()


def _keep(context: click.Context, option: click.Parameter, value: Any) -> None:
    context.meta[f"chatsys.{option.name}"] = value


def trusting(command: CommandT) -> CommandT:
    """Add the options of TLS; `given_tls` has what they say."""
    options = (
        click.option(
            "--tls",
            is_flag=True,
            expose_value=False,
            callback=_keep,
            help="Speak TLS; the options below imply it.",
        ),
        click.option(
            "--ca",
            metavar="FILE",
            envvar="CHATSYS_CA",
            expose_value=False,
            callback=_keep,
            help="Who vouches for the server, as PEM. [env: CHATSYS_CA]",
        ),
        click.option(
            "--cert",
            metavar="FILE",
            envvar="CHATSYS_CERT",
            expose_value=False,
            callback=_keep,
            help="Your certificate, where the server wants one. [env: CHATSYS_CERT]",
        ),
        click.option(
            "--cert-key",
            metavar="FILE",
            envvar="CHATSYS_CERT_KEY",
            expose_value=False,
            callback=_keep,
            help="The key of it. [env: CHATSYS_CERT_KEY]",
        ),
    )
    return _with(options, command)


def given_tls() -> Tls | None:
    """Return what the options of TLS say; None is in the clear."""
    # What gRPC's core writes to standard error by itself is told better by the errors that we show.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    meta = click.get_current_context().meta
    ca, cert, key = (meta.get(f"chatsys.{name}") for name in ("ca", "cert", "cert_key"))
    if not (meta.get("chatsys.tls") or ca or cert or key):
        return None
    from chatsys.client import Tls  # noqa: PLC0415 - --help does without gRPC

    try:
        return Tls.read(ca, cert, key)
    except OSError as fault:
        raise click.UsageError(f"{fault.filename} cannot be read: {fault.strerror}") from None
    except ValueError as fault:
        raise click.UsageError(f"--cert and --cert-key: {fault}.") from None


def talking(command: CommandT) -> CommandT:
    """Add the options by which a command finds its server and says who it is."""
    command = trusting(command)
    options = (
        click.option(
            "--server",
            type=SERVER,
            envvar="CHATSYS_SERVER",
            required=True,
            help="Where the server listens. [env: CHATSYS_SERVER]",
        ),
        click.option("--user", envvar="CHATSYS_USER", help="Your user id. [env: CHATSYS_USER]"),
        click.option(
            "--token",
            envvar="CHATSYS_TOKEN",
            help="Your bearer token, where the server wants one; it says who you are. [env: CHATSYS_TOKEN]",
        ),
        click.option(
            "--timeout",
            type=SECONDS,
            default=5.0,
            show_default=True,
            help="How long to wait for an answer.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line."),
    )
    return _with(options, command)


def reading(command: CommandT) -> CommandT:
    """Add the options by which a command says what it reads, and as which device."""
    options = (
        click.option(
            "--room", "rooms", multiple=True, help="Only this room; may be repeated. [default: all of yours]"
        ),
        click.option("--consumer", default="", help="Read as this device, with a cursor of its own."),
        click.option("--own", is_flag=True, help="Also print what you send yourself."),
        click.option(
            "--ack/--no-ack",
            "acks",
            default=True,
            help="Whether what was printed counts as read. [default: ack]",
        ),
    )
    return _with(options, command)


def _with(options: Sequence[Callable[[CommandT], CommandT]], command: CommandT) -> CommandT:
    for option in reversed(options):
        command = option(command)
    return command


def identify(server: str, user: str | None, token: str | None, timeout: float) -> Who:
    """Return who is talking; wrong usage when nobody is."""
    if not (user or token):
        raise click.UsageError("Who are you? Give --user (or CHATSYS_USER), or --token.")
    if user and not is_user_id(user):
        raise click.UsageError(f"{no_user_id(user)}.")
    if token and not token.strip().isascii():
        raise click.UsageError("What was given as --token is none: it has letters beyond ASCII.")
    return Who(server, user or None, token.strip() if token else None, timeout, given_tls())


def make_client(who: Who, *, consumer: str = "", include_own: bool = False) -> Client:
    """Make the client of one command."""
    from chatsys.client import Client  # noqa: PLC0415 - see above

    return Client(
        who.server, user=who.user, token=who.token, tls=who.tls, consumer=consumer, include_own=include_own
    )


def play(work: Coroutine[Any, Any, None]) -> None:
    """Run a command to its end and turn how it ended into an exit code."""
    from chatsys.client import ChatError  # noqa: PLC0415 - see above

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a letter gets its number
            stream.reconfigure(errors="backslashreplace")
    try:
        asyncio.run(_interruptible(work))
    except ChatError as fault:
        click.echo(f"chatsys: {fault}", err=True)
        raise SystemExit(REFUSED if fault.definite else UNANSWERED) from None
    except UnicodeEncodeError as fault:
        raise click.UsageError(f"{fault.object!r} is not UTF-8.") from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read our output has enough, as in `chatsys tail | head`. Python must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


async def _interruptible(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` so that Ctrl-C cancels it at once.

    The kernel may give a signal to one of gRPC's threads. asyncio's own handler then runs when the loop next has
    something to do, which on a silent stream is the server's next heartbeat; one set on the loop wakes it.
    """
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    await work


def lapses(delta: Delta) -> list[str]:
    """Say what of a room will not come: it was removed unread, or we were."""
    sentences = []
    if delta.lost_through:
        sentences.append(f"{delta.room}: messages up to #{delta.lost_through} are no longer stored")
    if delta.ended:
        sentences.append(f"you are no member of {delta.room} any more")
    return sentences


def safe(text: str) -> str:
    """What somebody else wrote, as one line that does not move our cursor or ring our bell."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def show(message: Message, *, as_json: bool) -> None:
    """Print one message and see that it has left."""
    text = message.content.decode(errors="replace")
    if as_json:
        line = {
            "room": message.room_id,
            "sequence": message.sequence,
            "sender": message.sender_id,
            "text": text,
            "client_message_id": message.client_message_id,
            "create_time": message.create_time.ToJsonString(),
        }
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{message.room_id} #{message.sequence} {message.sender_id}: {safe(text)}\n")
    sys.stdout.flush()
