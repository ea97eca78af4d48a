"""`chatsys send`: store one message, or one for each line of standard input."""

from __future__ import annotations

import json
import sys

import click

from chatsys.cli.talking import REFUSED, Who, identify, make_client, play, talking

#: Lines sent together when they come from standard input.
LINES_AT_ONCE = 500


@click.command(
    epilog="""\b
Examples:
  chatsys send --server 127.0.0.1:7777 --user alice --room lobby "Hello!"
  chatsys send --room lobby --id order-7 "Paid."      # again with the same id: stored once
  seq 1000 | chatsys send --room lobby -               # one message a line, in order"""
)
@click.option("--room", required=True, help="The room to send to.")
@click.option(
    "--id", "message_id", help="Makes the send repeatable: stored once under this id. [default: new]"
)
@talking
@click.argument("text")
def send(
    room: str,
    message_id: str | None,
    server: str,
    user: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,  # noqa: FBT001 - click passes options by name
    text: str,
) -> None:
    """Send TEXT to a room, or with - each line of standard input.

    Returns when it is stored; prints the room and the message's sequence in it.
    """
    who = identify(server, user, token, timeout)
    if text == "-":
        if message_id is not None:
            raise click.UsageError("--id names one message; it cannot go with - (one message a line).")
        play(_send_lines(who, room, _lines(sys.stdin.buffer.read()), as_json=as_json))
    else:
        play(_send_one(who, room, text, message_id, as_json=as_json))


async def _send_one(who: Who, room: str, text: str, message_id: str | None, *, as_json: bool) -> None:
    async with make_client(who) as client:
        sent = await client.send(room, text, client_message_id=message_id, within=who.timeout)
    _show(room, sent.sequence, sent.client_message_id, duplicate=sent.duplicate, as_json=as_json)


def _lines(data: bytes) -> list[str]:
    """The lines of standard input that hold something; all of them can be sent, or none is."""
    lines = []
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            lines.append(line.removesuffix(b"\r").decode())
        except UnicodeDecodeError:
            raise click.UsageError(
                f"Line {number} of standard input is not UTF-8; nothing was sent."
            ) from None
    return [line for line in lines if line]


async def _send_lines(who: Who, room: str, lines: list[str], *, as_json: bool) -> None:
    from chatsys.client import ChatError, Outgoing  # noqa: PLC0415 - --help does without gRPC

    refused = 0
    async with make_client(who) as client:
        for start in range(0, len(lines), LINES_AT_ONCE):
            part = lines[start : start + LINES_AT_ONCE]
            results = await client.send_batch([Outgoing(room, line) for line in part], within=who.timeout)
            for line, result in zip(part, results, strict=True):
                if isinstance(result, ChatError):
                    refused += 1
                    click.echo(f"chatsys: {line[:40]!r}: {result}", err=True)
                else:
                    _show(
                        room,
                        result.sequence,
                        result.client_message_id,
                        duplicate=result.duplicate,
                        as_json=as_json,
                    )
    if refused:
        raise SystemExit(REFUSED)


def _show(room: str, sequence: int, message_id: str, *, duplicate: bool, as_json: bool) -> None:
    if as_json:
        line = {"room": room, "sequence": sequence, "client_message_id": message_id, "duplicate": duplicate}
        click.echo(json.dumps(line, ensure_ascii=False))
    else:
        click.echo(f"{room} #{sequence}{' (stored before)' if duplicate else ''}")
