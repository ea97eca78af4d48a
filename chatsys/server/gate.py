"""Who is let in: every call of the contract passes a gate, which says who calls and what for.

There are two. ``OpenGate`` believes every name, as ``--auth none`` wants it. ``TokenGate`` wants a bearer token,
and stays with the calls that last: one whose token ends, is revoked, or was signed by a key that is believed no
more is ended within ``REFRESH`` seconds of that.
"""

import asyncio
import contextlib
import logging
import math
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from chatsys.core import check
from chatsys.errors import Reason, Refusal
from chatsys.server.call import USER_KEY, Call
from chatsys.server.settings import Settings

if TYPE_CHECKING:  # see make_gate
    from chatsys.auth.tokens import Claims

log = logging.getLogger(__name__)

REFRESH = 0.25
"""Seconds between two looks at the keys and revocations."""
LONGEST = 3_650 * 86_400.0
"""Seconds that a revoked token is remembered whose end nobody said."""
MAX_KNOWN = 10_000
"""Tokens whose verification is remembered; one more, and all are forgotten."""


class GateError(Exception):
    """The gate cannot be set up; the message is a whole sentence."""


class Gate(Protocol):
    """What the server asks."""

    tokens: bool
    """Whether callers show tokens."""

    def identify(self, call: Call, *, required: bool) -> None:
        """Sets ``user_id`` and ``admin`` of a call.

        Raises:
            Refusal: TOKEN_MISSING (only if a caller is required), TOKEN_INVALID, TOKEN_EXPIRED or TOKEN_REVOKED.
        """

    def staying(self, call: Call) -> contextlib.AbstractContextManager[None]:
        """Around a call that may last longer than its token."""

    def mint(
        self, user_id: str, scopes: Sequence[str] = (), lifetime: float = 0.0
    ) -> "tuple[str, Claims | None]":
        """A new token, and what it says; an empty one where none are used."""

    def revoke(self, *, token_id: str = "", user_id: str = "") -> None:
        """Revokes one token, or all of a user; durable when it returns."""

    def start(self) -> None:
        """Begins to look at files again and again; within a running loop."""

    def stop(self) -> None:
        """Stops that."""


def make_gate(settings: Settings) -> Gate:
    """The gate that was asked for.

    Raises:
        GateError: It cannot be set up.
    """
    if settings.auth == "none":
        return OpenGate()
    if settings.keys is None and not settings.key_path.exists():
        from chatsys.auth import keys  # noqa: PLC0415  # see TokenGate

        try:
            made = keys.create(settings.key_path)
        except keys.BadKeyError as error:
            raise GateError(str(error)) from error
        log.info("made the first key, %s; `chatsys token create` signs with it", made)
    return TokenGate(settings.key_path, settings.data, settings.audience, settings.token_lifetime)


class OpenGate:
    """Believes every name; everybody has the admin scope."""

    tokens = False

    def identify(self, call: Call, *, required: bool) -> None:
        """See ``Gate``."""
        call.admin = True
        if not required:
            return
        if not call.user_id:
            raise Refusal(Reason.TOKEN_MISSING, f"who calls? Name a user id in the metadata key {USER_KEY!r}")
        if not check.is_user_id(call.user_id):
            raise Refusal(
                Reason.TOKEN_INVALID,
                f"metadata key {USER_KEY!r}: {check.no_user_id(call.user_id[: check.MAX_NAME])}",
            )

    def staying(self, call: Call) -> contextlib.AbstractContextManager[None]:  # noqa: ARG002  # see Gate
        """See ``Gate``: nothing ends."""
        return contextlib.nullcontext()

    def mint(
        self,
        user_id: str,  # noqa: ARG002  # see Gate
        scopes: Sequence[str] = (),  # noqa: ARG002  # see Gate
        lifetime: float = 0.0,  # noqa: ARG002  # see Gate
    ) -> "tuple[str, Claims | None]":
        """See ``Gate``: there are no tokens."""
        return "", None

    def revoke(self, *, token_id: str = "", user_id: str = "") -> None:
        """See ``Gate``: there is nothing to revoke."""

    def start(self) -> None:
        """See ``Gate``."""

    def stop(self) -> None:
        """See ``Gate``."""


class TokenGate:
    """Wants bearer tokens.

    Args:
        keys: Where the keys are.
        data: The data directory, where revocations are.
        audience: Whom tokens are for.
        lifetime: Seconds, of tokens made here unless somebody says otherwise.
        clock: Seconds since 1970.

    Raises:
        GateError: The keys or revocations cannot be read.
    """

    tokens = True

    def __init__(
        self,
        keys: Path,
        data: Path,
        audience: str,
        lifetime: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Imported here, not above: a server without tokens starts without cryptography.
        from chatsys.auth import keys as keyfiles  # noqa: PLC0415  # imported when it is needed, see above
        from chatsys.auth import revocations, tokens  # noqa: PLC0415  # imported when it is needed, see above

        self._keyfiles, self._tokens = keyfiles, tokens
        self._path, self._audience, self._lifetime, self._clock = keys, audience, lifetime, clock
        self._revocations = revocations.Revocations(data)
        self._cannot: tuple[type[Exception], ...] = (keyfiles.BadKeyError, revocations.RevocationError)
        self._known: dict[str, Claims] = {}
        self._staying: dict[Call, Claims] = {}
        self._next_end = math.inf  # no token of those that stay ends before this
        self._timer: asyncio.TimerHandle | None = None
        self._looked = clock()
        self._said: dict[str, str] = {}
        try:
            self._keys_seen = keyfiles.fingerprint(keys)
            self._ring = keyfiles.load(keys)
            self._revocations_seen = self._revocations.fingerprint()
            self._revoked = self._revocations.read()
        except self._cannot as error:
            raise GateError(str(error)) from error
        for file in keyfiles.exposed(keys):
            log.warning("everybody on this machine may read the key %s: chmod o= it", file)

    def identify(self, call: Call, *, required: bool) -> None:
        """See ``Gate``."""
        call.user_id = ""  # whatever else it called itself
        scheme, _, token = call.authorization.partition(" ")
        if not token:
            if required or call.authorization:
                raise Refusal(
                    Reason.TOKEN_MISSING,
                    "who calls? Show a token in the metadata: authorization: Bearer TOKEN",
                )
            return
        if scheme.lower() != "bearer":
            raise Refusal(Reason.TOKEN_MISSING, "the metadata key 'authorization' is to be: Bearer TOKEN")
        claims = self._known.get(token)
        # What is seen for the first time may be revoked, or its key made, this very moment. And a busy server's timer
        # may be late, which must not make the promise false.
        if claims is None or not 0 <= self._clock() - self._looked < REFRESH:
            self.refresh()
            claims = self._known.get(token)  # new keys make it forget
        if claims is None:
            claims = self._verify(token)
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[token] = claims
        fault = self._fault(claims)
        if fault is not None:
            raise fault
        call.user_id, call.admin = claims.user_id, claims.admin
        call.claims = claims

    @contextlib.contextmanager
    def staying(self, call: Call) -> Iterator[None]:
        """See ``Gate``."""
        claims = call.claims
        if claims is None:
            yield
            return
        call.may_be_ended()
        self._staying[call] = claims
        self._next_end = min(self._next_end, claims.expires_at)
        try:
            yield
        finally:
            del self._staying[call]

    def mint(
        self, user_id: str, scopes: Sequence[str] = (), lifetime: float = 0.0
    ) -> "tuple[str, Claims | None]":
        """See ``Gate``.

        Raises:
            Refusal: FIELD_INVALID for a scope that is none; REGISTRATION_CLOSED when no key can sign.
        """
        now = self._clock()
        admin = self._tokens.admin_of(scopes)
        self.refresh()
        try:
            key = self._ring.signer()
        except self._cannot as error:
            log.error("no token can be made: %s", error)  # noqa: TRY400  # a sentence for the operator
            raise Refusal(Reason.REGISTRATION_CLOSED, "this server has no key to sign tokens with") from error
        claims = self._tokens.Claims(
            user_id, admin, secrets.token_hex(12), key.kid, now, now + (lifetime or self._lifetime)
        )
        return self._tokens.mint(key, claims, self._audience), claims

    def revoke(self, *, token_id: str = "", user_id: str = "") -> None:
        """See ``Gate``.

        Raises:
            Refusal: STORE_UNAVAILABLE: it could not be written.
        """
        now = self._clock()
        try:
            if token_id:
                self._revocations.revoke_token(token_id, now + LONGEST)
            if user_id:
                self._revocations.revoke_user(user_id, now)
        except self._cannot as error:
            log.error("nothing was revoked: %s", error)  # noqa: TRY400  # a sentence for the operator
            raise Refusal.store_unavailable("the revocation could not be stored") from error
        self.refresh()

    def start(self) -> None:
        """See ``Gate``."""
        self._timer = asyncio.get_running_loop().call_later(REFRESH, self._tick)

    def stop(self) -> None:
        """See ``Gate``."""
        if self._timer is not None:
            self._timer.cancel()

    def refresh(self) -> None:
        """Reads keys and revocations if they have changed, and ends the calls that may stay no longer."""
        self._looked = self._clock()
        changed = self._read_keys() | self._read_revocations()
        if changed or self._next_end <= self._clock():
            self._end_some()

    def _tick(self) -> None:
        self.start()
        self.refresh()

    def _read_keys(self) -> bool:
        seen = self._keyfiles.fingerprint(self._path)
        if seen == self._keys_seen:
            return False
        try:
            self._ring = self._keyfiles.load(self._path)
        except self._cannot as error:
            self._complain("keys", error)
            return False
        self._keys_seen = seen
        self._said.pop("keys", None)
        log.info("keys read again: %s", ", ".join(sorted(self._ring.keys)))
        self._known.clear()
        return True

    def _read_revocations(self) -> bool:
        seen = self._revocations.fingerprint()
        if seen == self._revocations_seen:
            return False
        try:
            self._revoked = self._revocations.read()
        except self._cannot as error:
            self._complain("revocations", error)
            return False
        self._revocations_seen = seen
        self._said.pop("revocations", None)
        return True

    def _complain(self, what: str, error: Exception) -> None:
        """Says what cannot be read; every look tries again, and tells when the fault is another."""
        if self._said.get(what) != str(error):
            self._said[what] = str(error)
            log.error("the %s stay as they were: %s", what, error)

    def _end_some(self) -> None:
        for call, claims in tuple(self._staying.items()):
            fault = self._fault(claims)
            if fault is not None:
                call.end(fault)
        left = (claims.expires_at for call, claims in self._staying.items() if call.ending is None)
        self._next_end = min(left, default=math.inf)

    def _verify(self, token: str) -> "Claims":
        return self._tokens.verify(token, self._ring, self._audience, self._clock())

    def _fault(self, claims: "Claims") -> Refusal | None:
        if claims.expires_at <= self._clock():
            return self._tokens.expired(claims)
        if self._revoked.has(claims):
            return self._tokens.revoked()
        if claims.kid not in self._ring.keys:
            return self._tokens.key_gone()
        return None
