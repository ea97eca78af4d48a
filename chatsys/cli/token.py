"""`chatsys token`: keys and tokens on the machine of the server, which may run meanwhile and notices."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

import click

from chatsys.config import ConfigError, read
from chatsys.config.kinds import duration
from chatsys.server.settings import Settings

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

REFUSED = 1


@click.group()
def token() -> None:
    """Make, look into and revoke tokens, and make the keys that sign them.

    These commands work on the server's files: run them where those are, with the server's --data, --keys or --config.
    A server that runs sees what they did within a second.
    """


def _places(command: CommandT) -> CommandT:
    options = (
        click.option("--config", help="The server's TOML file. [env: CHATSYS_CONFIG]"),
        click.option("--data", help="The server's data directory. [env: CHATSYS_DATA]"),
        click.option("--keys", help="Its keys. [env: CHATSYS_KEYS; default: DATA/keys]"),
    )
    for option in reversed(options):
        command = option(command)
    return command


@token.command(name="new-key")
@click.option(
    "--alg",
    type=click.Choice(["EdDSA", "HS256"]),
    default="EdDSA",
    show_default=True,
    help="EdDSA: a pair of keys. HS256: one secret.",
)
@click.option("--kid", default="", help="Its id. [default: one greater than all before it]")
@_places
def new_key(alg: Any, kid: str, config: str | None, data: str | None, keys: str | None) -> None:
    """Make a key; the server signs with the one of the greatest id, and believes all.

    To rotate: make a new key, wait until the tokens of the old one have ended, remove its file. To end all of its
    tokens at once, remove the file at once.
    """
    from chatsys.auth.keys import BadKeyError, create  # noqa: PLC0415 - see above

    settings = _settings(config, data, keys)
    try:
        click.echo(create(settings.key_path, alg, kid))
    except BadKeyError as fault:
        _fail(str(fault))


@token.command(
    epilog="""\b
Examples:
  export CHATSYS_TOKEN=$(chatsys token create alice)
  chatsys token create root --admin --lifetime 15m"""
)
@click.option("--admin", is_flag=True, help="With the admin scope: may do everything, and read every room.")
@click.option("--lifetime", help="How long it lasts, such as 12h. [default: the server's token_lifetime]")
@click.option("--audience", help="Whom it is for. [default: the server's]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_places
@click.argument("user")
def create(
    user: str,
    admin: bool,  # noqa: FBT001 - click passes options by name
    lifetime: str | None,
    audience: str | None,
    as_json: bool,  # noqa: FBT001 - the same
    config: str | None,
    data: str | None,
    keys: str | None,
) -> None:
    """Print a new token for USER."""
    from chatsys.auth.keys import BadKeyError, load  # noqa: PLC0415 - see above
    from chatsys.auth.tokens import Claims, mint  # noqa: PLC0415 - the same
    from chatsys.core.check import is_user_id, no_user_id  # noqa: PLC0415 - the same

    settings = _settings(config, data, keys)
    if not is_user_id(user):
        raise click.UsageError(f"{no_user_id(user)}.")
    seconds = settings.token_lifetime
    if lifetime is not None:
        try:
            seconds = duration(1.0).parse(lifetime)
        except ValueError as fault:
            raise click.UsageError(f"--lifetime: {lifetime!r} {fault}") from None
    try:
        key = load(settings.key_path).signer()
    except BadKeyError as fault:
        _fail(str(fault))
    now = time.time()
    claims = Claims(user, admin, secrets.token_hex(12), key.kid, now, now + seconds)
    text = mint(key, claims, audience or settings.audience)
    if as_json:
        click.echo(
            json.dumps({"token": text, "token_id": claims.token_id, "expire_time": _time(claims.expires_at)})
        )
    else:
        click.echo(text)
        click.echo(f"chatsys: token {claims.token_id} for {user}, until {_time(claims.expires_at)}", err=True)


@token.command()
@_places
@click.argument("text", metavar="TOKEN")
def inspect(text: str, config: str | None, data: str | None, keys: str | None) -> None:
    """Print what TOKEN says, and whether the server believes it; - reads it from standard input.

    Exit codes: 0 it is good · 1 it is not, and why.
    """
    from chatsys.auth.keys import BadKeyError, load  # noqa: PLC0415 - see above
    from chatsys.auth.revocations import RevocationError, Revocations  # noqa: PLC0415 - the same
    from chatsys.auth.tokens import peek, revoked, verify  # noqa: PLC0415 - the same
    from chatsys.errors import Refusal  # noqa: PLC0415 - the same

    settings = _settings(config, data, keys)
    text = _given(text)
    try:
        header, payload = peek(text)
        click.echo(json.dumps({"header": header, "payload": _dated(payload)}, ensure_ascii=False, indent=2))
        claims = verify(text, load(settings.key_path), settings.audience, time.time())
        if Revocations(settings.data).read().has(claims):
            raise revoked()
    except Refusal as refusal:
        _fail(f"{refusal.reason}: {refusal.message}")
    except (BadKeyError, RevocationError) as fault:
        _fail(str(fault))
    click.echo(f"chatsys: good until {_time(claims.expires_at)}", err=True)


@token.command()
@click.option("--user", help="All tokens of this user that were made before now.")
@_places
@click.argument("text", metavar="TOKEN|TOKEN-ID", required=False)
def revoke(
    text: str | None, user: str | None, config: str | None, data: str | None, keys: str | None
) -> None:
    """Revoke a token, or with --user all of a user, for good; - reads the token from standard input.

    Streams that were opened with it end. It is durable when this returns.
    """
    from chatsys.auth.revocations import RevocationError, Revocations  # noqa: PLC0415 - see above
    from chatsys.auth.tokens import peek  # noqa: PLC0415 - the same
    from chatsys.core.check import is_user_id, no_user_id  # noqa: PLC0415 - the same
    from chatsys.errors import Refusal  # noqa: PLC0415 - the same
    from chatsys.server.gate import LONGEST  # noqa: PLC0415 - the same

    if (text is None) == (user is None):
        raise click.UsageError("Whose? Give a token, its id, or --user.")
    if user is not None and not is_user_id(user):
        raise click.UsageError(f"{no_user_id(user)}.")
    settings = _settings(config, data, keys)
    if not settings.data.is_dir():
        _fail(f"there is no data directory {settings.data}; name the server's by --data")
    revocations = Revocations(settings.data)
    now = time.time()
    try:
        if user is not None:
            revocations.revoke_user(user, now)
            click.echo(f"revoked: all tokens of {user} made before {_time(now)}")
            return
        named = _given(str(text))
        expires_at = now + LONGEST
        if named.count(".") == 2:
            _, payload = peek(named)
            named = str(payload.get("jti", ""))
            ends = payload.get("exp")
            # Of what says no time it is remembered for longer than any token lasts.
            expires_at = float(ends) if isinstance(ends, (int, float)) else expires_at
        if not named:
            _fail("the token has no id, so it was never good")
        revocations.revoke_token(named, expires_at)
    except Refusal as refusal:
        _fail(refusal.message)
    except RevocationError as fault:
        _fail(str(fault))
    click.echo(f"revoked: {named}")


def _settings(config: str | None, data: str | None, keys: str | None) -> Settings:
    flags = [
        f"--{name}={value}" for name, value in (("config", config), ("data", data), ("keys", keys)) if value
    ]
    try:
        return read(Settings, flags, os.environ).settings
    except ConfigError as error:
        raise click.UsageError("\n".join(error.faults)) from None


def _given(text: str) -> str:
    return sys.stdin.read().strip() if text == "-" else text


def _dated(payload: Mapping[str, Any]) -> dict[str, Any]:
    times = ("exp", "iat", "nbf")
    return {
        name: _time(value) if name in times and isinstance(value, (int, float)) else value
        for name, value in payload.items()
    }


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s"


def _fail(sentence: str) -> NoReturn:
    click.echo(f"chatsys: {sentence}", err=True)
    raise SystemExit(REFUSED)
