"""What a client of chatsys shows to prove who it is: its name, or a token made with the server's own keys.

Keys are looked for in `$CHATSYS_KEYS`, else where a server keeps them in its data. Without any, clients name
themselves, as they do under `--auth none`. Each call makes a new token.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.drivers.request import RequestError

if TYPE_CHECKING:  # cryptography takes long to import, and few runs have tokens
    from chatsys.auth.keys import Keyring

AUDIENCE: Final = "chatsys"
LASTS_S: Final = 86_400.0
#: How long ago an expired token ended: no clock is off by that.
AGO_S: Final = 3_600.0


def shown(
    user: str, role: str, token: Mapping[str, Any], server: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """Return the name and the token that a client shows, one of them or none.

    Args:
        user: whom it plays.
        role: the harness has the admin scope.
        token: what is wrong with its token; see the driver protocol.
        server: where it connects to.

    Raises:
        RequestError: there are no keys to make such a token with.
    """
    kind = token.get("kind", "valid")
    if kind == "missing":
        return None, None
    if kind == "literal":
        return None, str(token.get("text", ""))
    keys = _keys(server)
    if keys is None:
        if kind == "valid":
            return user, None
        raise _cannot(
            f"a token that is {kind} needs the server's keys: set CHATSYS_KEYS, or start the server here"
        )
    return None, _make(kind, user, keys, server, admin=role == "harness")


def change_keys(change: str, server: Mapping[str, Any]) -> None:
    """Change the keys of a server that was started here: `add` one that signs, or `retire` all others.

    Raises:
        RequestError: it has no keys, or they are not its own: others may be in use elsewhere.
    """
    from chatsys.auth.keys import SUFFIX, BadKeyError, create, load  # noqa: PLC0415 - see above

    path = _keys(server)
    if path is None or os.environ.get("CHATSYS_KEYS"):
        raise _cannot("keys are changed only where the server keeps its own, in its data: unset CHATSYS_KEYS")
    try:
        if change == "add":
            create(path)
            return
        newest = load(path).signer().kid
        for file in path.glob(f"*{SUFFIX}"):
            if file.name != f"{newest}{SUFFIX}":
                file.unlink()
    except (BadKeyError, OSError) as fault:
        raise _cannot(f"the keys cannot be changed: {fault}") from fault


def _keys(server: Mapping[str, Any]) -> Path | None:
    named = os.environ.get("CHATSYS_KEYS")
    if named:
        return Path(named)
    found = Path(str(server.get("data", ""))) / "keys"
    return found if "data" in server and found.is_dir() else None


def _make(kind: str, user: str, path: Path, server: Mapping[str, Any], *, admin: bool) -> str:
    from chatsys.auth.keys import BadKeyError, load  # noqa: PLC0415 - see above
    from chatsys.auth.revocations import RevocationError, Revocations  # noqa: PLC0415 - the same
    from chatsys.auth.tokens import Claims, mint  # noqa: PLC0415 - the same

    now = time.time()
    lasts = -AGO_S if kind == "expired" else LASTS_S
    claims = Claims(user, admin, secrets.token_hex(12), "", now + min(lasts, 0.0) - 1.0, now + lasts)
    try:
        ring = load(path)
        key = (_forgers(ring) if kind == "forged" else ring).signer()
        if kind == "revoked":
            if "data" not in server:
                raise _cannot("a token that is revoked needs a server that was started here")
            Revocations(Path(server["data"])).revoke_token(claims.token_id, claims.expires_at)
    except (BadKeyError, RevocationError) as fault:
        raise _cannot(str(fault)) from fault
    return mint(key, claims, "somebody-else" if kind == "other_audience" else AUDIENCE)


def _forgers(ring: Keyring) -> Keyring:
    """Return keys that the server does not know, under the ids of those that it does."""
    from chatsys.auth.keys import create, load  # noqa: PLC0415 - see above

    known = ring.signer()
    with tempfile.TemporaryDirectory() as folder:
        create(Path(folder), known.algorithm, known.kid)
        return load(Path(folder))


def _cannot(sentence: str) -> RequestError:
    return RequestError("FAILED_PRECONDITION", "NO_KEYS", sentence)
