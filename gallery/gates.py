"""Servers that let in too many: each believes one kind of token that is no good.

No invariant speaks of who may come in; a script that says `refused` does. So these are convicted by the step, and of
nobody but the one whom they let in.
"""

from __future__ import annotations

import math
from typing import Any

from chatsys.auth.keys import Keyring
from chatsys.auth.tokens import Claims, mint, peek, verify
from chatsys.errors import Reason, Refusal
from chatsys.server.call import Call
from chatsys.server.gate import TokenGate, make_gate
from chatsys.server.settings import Settings
from gallery.broken import Broken

FAR = 10.0**10


class _Gate(TokenGate):
    def __init__(self, settings: Settings) -> None:
        make_gate(settings)  # makes the first key
        super().__init__(settings.key_path, settings.data, settings.audience, settings.token_lifetime)


class BelievingLate(_Gate):
    """Looks at no clock."""

    def _verify(self, token: str) -> Claims:
        claims = verify(token, self._ring, self._audience, peek(token)[1].get("iat", 0.0))
        return claims._replace(expires_at=FAR)


class BelievingAnyAudience(_Gate):
    """Does not ask whom a token is for."""

    def _verify(self, token: str) -> Claims:
        return verify(token, self._ring, str(peek(token)[1].get("aud")), self._clock())


class BelievingRevoked(_Gate):
    """Forgets what was revoked."""

    def _fault(self, claims: Claims) -> Refusal | None:
        fault = super()._fault(claims)
        return None if fault is not None and fault.reason is Reason.TOKEN_REVOKED else fault


class BelievingForged(_Gate):
    """Reads a token and does not look at who signed it."""

    def _verify(self, token: str) -> Claims:
        said: Any = peek(token)[1]
        claims = Claims(
            said["sub"],
            admin="admin" in said["scope"],
            token_id=said["jti"],
            kid="",
            issued_at=said["iat"],
            expires_at=said["exp"],
        )
        return verify(
            mint(self._ring.signer(), claims, said["aud"]), self._ring, self._audience, self._clock()
        )


class BelievingRetired(_Gate):
    """Believes keys that were taken away, as long as it runs."""

    def _read_keys(self) -> bool:
        before = self._ring
        changed = super()._read_keys()
        self._ring = Keyring({**before.keys, **self._ring.keys}, self._ring.origin)
        return changed


class BelievingNewest(_Gate):
    """Believes the newest key only, as soon as it is there."""

    def _read_keys(self) -> bool:
        changed = super()._read_keys()
        newest = self._ring.signer()
        self._ring = Keyring({newest.kid: newest}, self._ring.origin)
        return changed


class KeepingStreams(_Gate):
    """Looks at a token when a call begins, and never again."""

    def _end_some(self) -> None:
        self._next_end = math.inf


class LettingInAll(_Gate):
    """Asks for a token, and does without."""

    def identify(self, call: Call, *, required: bool) -> None:
        """Let in who shows nothing."""
        if call.authorization:
            super().identify(call, required=required)
        else:
            call.user_id = "somebody"


def _broken(name: str, does: str, gate: type[_Gate]) -> Broken:
    return Broken(name=name, does=does, gate=gate, kinds=frozenset(), scenarios=("own/tokens",))


BELIEVES_RETIRED = Broken(
    name="believes-retired",
    does="goes on believing tokens whose key was taken away",
    gate=BelievingRetired,
    kinds=frozenset(),
    others=frozenset({"refused"}),
    scenarios=("rotate_keys",),
)
BELIEVES_NEWEST = Broken(
    name="believes-newest",
    does="turns out who shows a token of the older key as soon as there is a newer one",
    gate=BelievingNewest,
    kinds=frozenset(),
    others=frozenset({"script"}),
    scenarios=("rotate_keys",),
)

KEEPS_STREAMS = Broken(
    name="keeps-streams",
    does="goes on with the streams of those whose token is good no more",
    gate=KeepingStreams,
    kinds=frozenset(),
    others=frozenset({"unwanted"}),
    scenarios=("own/turned_out",),
)

#: Who is let in by mistake -> the server that does it.
GATES: dict[str, Broken] = {
    "late": _broken("believes-late", "believes tokens that have ended", BelievingLate),
    "stranger": _broken("believes-any-audience", "believes tokens for others", BelievingAnyAudience),
    "fired": _broken("believes-revoked", "believes tokens that were revoked", BelievingRevoked),
    "forger": _broken("believes-forged", "believes tokens that it has not signed", BelievingForged),
    "nobody": _broken("lets-in-all", "lets in who shows no token", LettingInAll),
}
