"""Tokens: what one says, made and verified. Pure but for the cryptography: time and ids are arguments.

Invariants: only a key of the ring is believed, with its own algorithm; a token without subject, id, audience, or
end is none; nothing that is raised or logged holds a token.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import jwt

from chatsys.auth.keys import Key, Keyring
from chatsys.core import check
from chatsys.errors import Reason, Refusal

Scope = Literal["user", "admin"]
SCOPES: tuple[Scope, ...] = ("user", "admin")
"""user: speaks for itself. admin: besides, administers and reads every room."""

SKEW = 60
"""Seconds by which the clock of who signed may be ahead of ours."""

_REQUIRED = ["aud", "exp", "iat", "jti", "sub"]
_OURS: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": _REQUIRED}
# Time is judged here, by the clock that is given; the library would ask its own.


class Claims(NamedTuple):
    """What a verified token says."""

    user_id: str
    admin: bool
    token_id: str
    kid: str
    issued_at: float
    """Seconds since 1970, like the next."""
    expires_at: float


def mint(key: Key, claims: Claims, audience: str) -> str:
    """Makes a token.

    Args:
        key: Signs it; the kid of the claims is not looked at.
        claims: What it says.
        audience: Whom it is for.
    """
    payload = {
        "sub": claims.user_id,
        "aud": audience,
        "scope": "user admin" if claims.admin else "user",
        "jti": claims.token_id,
        "iat": claims.issued_at,
        "exp": claims.expires_at,
    }
    return jwt.encode(payload, key.jwk.key, algorithm=key.algorithm, headers={"kid": key.kid})


def verify(token: str, ring: Keyring, audience: str, now: float) -> Claims:
    """What a token says, if it is to be believed now. Whether it was revoked is asked elsewhere.

    Raises:
        Refusal: TOKEN_INVALID or TOKEN_EXPIRED; why in detail only as far as the bearer knows anyway.
    """
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise _invalid("the token is no JSON Web Token") from None
    key = ring.keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise _invalid("the token names no key of this server")
    try:
        payload = jwt.decode(token, key.jwk.key, algorithms=[key.algorithm], audience=audience, options=_OURS)
    except jwt.InvalidAudienceError:
        raise _invalid(f"the token is not for this server, whose audience is {audience!r}") from None
    except jwt.MissingRequiredClaimError as error:
        raise _invalid(f"the token has no claim {error.claim!r}") from None
    except jwt.PyJWTError:
        raise _invalid("the token was not signed by the key that it names") from None
    claims = _claims(payload, key.kid)
    if max(claims.issued_at, _seconds(payload, "nbf", claims.issued_at)) > now + SKEW:
        raise _invalid("the token is not valid yet; are both clocks right?")
    if claims.expires_at <= now:
        raise expired(claims)
    return claims


def peek(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and payload of a token of which nothing was verified.

    Raises:
        Refusal: TOKEN_INVALID: it is no token.
    """
    try:
        return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise _invalid("this is no JSON Web Token") from None


def expired(claims: Claims) -> Refusal:
    """The answer to a token that has ended."""
    ended = (
        datetime.fromtimestamp(claims.expires_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    )
    return Refusal(
        Reason.TOKEN_EXPIRED, f"the token ended at {ended}; get a new one", metadata={"expire_time": ended}
    )


def revoked() -> Refusal:
    """The answer to a token that was revoked."""
    return Refusal(Reason.TOKEN_REVOKED, "the token was revoked; get a new one")


def key_gone() -> Refusal:
    """The answer to a token whose key is believed no more."""
    return _invalid("the key that signed the token is no longer one of this server's")


def admin_of(scopes: Sequence[str]) -> bool:
    """Whether these scopes are more than a plain user's.

    Raises:
        Refusal: FIELD_INVALID: one of them is none.
    """
    for index, scope in enumerate(scopes):
        if scope not in SCOPES:
            raise Refusal.field(f"scopes[{index}]", f"is {scope[:40]!r}; it is one of {', '.join(SCOPES)}")
    return "admin" in scopes


def _claims(payload: Mapping[str, Any], kid: str) -> Claims:
    user_id, token_id, scope = payload["sub"], payload["jti"], payload.get("scope", "")
    if not isinstance(user_id, str) or not check.is_user_id(user_id):
        raise _invalid("the token's subject is no user id")
    if not isinstance(token_id, str) or not isinstance(scope, str):
        raise _invalid("the token's id or scope is no text")
    scopes = scope.split()
    if not set(scopes) & set(SCOPES):
        raise _invalid(f"the token has none of the scopes {', '.join(SCOPES)}")
    return Claims(
        user_id, "admin" in scopes, token_id, kid, _seconds(payload, "iat"), _seconds(payload, "exp")
    )


def _seconds(payload: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = payload.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 253_402_300_800:
        raise _invalid(f"the token's {name!r} is no time")
    return float(value)


def _invalid(why: str) -> Refusal:
    return Refusal(Reason.TOKEN_INVALID, why)
