"""Who we say we are, in the metadata of every call: a name, a token, or a function that gets a fresh token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chatsys.client.errors import NO_TOKEN, ChatError, UnauthenticatedError
from chatsys.core.check import no_user_id

#: Gets a token: called for the first call, and again when the server says that the one before has ended.
TokenSource = Callable[[], str]

Metadata = tuple[tuple[str, str], ...]

#: Reasons for which another token may help.
_RENEW: Final = frozenset({"TOKEN_EXPIRED", "TOKEN_REVOKED", "TOKEN_INVALID"})


class Credentials:
    """Of one client. Never shows the token to anybody but the server."""

    def __init__(self, user: str | None, token: str | TokenSource | None) -> None:
        if user is not None and not _fits(user):
            raise ValueError(no_user_id(user))
        if isinstance(token, str) and not _fits(token):
            raise ValueError("the token is none: it has line breaks or letters beyond ASCII")
        self._user = user
        self._source = token if callable(token) else None
        self._token = token if isinstance(token, str) else None

    @property
    def metadata(self) -> Metadata:
        """What goes with a call.

        Raises:
            UnauthenticatedError: no token could be got.
        """
        if self._token is None and self._source is not None:
            self._token = _ask(self._source)
        if self._token is not None:
            return (("authorization", f"Bearer {self._token}"),)
        if self._user is not None:
            return (("chatsys-user", self._user),)
        return ()

    def renew(self, fault: ChatError, shown: Metadata) -> bool:
        """After a refusal, see whether there is another token to try with than the one that was shown.

        Raises:
            UnauthenticatedError: no token could be got.
        """
        if self._source is None or fault.reason not in _RENEW:
            return False
        if self.metadata == shown:  # else another call of ours has fetched a new one meanwhile
            self._token = _ask(self._source)
        return self.metadata != shown


def _ask(source: TokenSource) -> str:
    try:
        token = source()
    except Exception as error:
        # Not what it says: who knows what is in there. It is the cause of this one, for those who look.
        raise UnauthenticatedError(
            f"no token could be got: its source raised {type(error).__name__}", reason=NO_TOKEN
        ) from error
    if not _fits(token):
        raise UnauthenticatedError(
            "the token that its source gave is none: it has line breaks or letters beyond ASCII",
            reason=NO_TOKEN,
        )
    return token


def _fits(text: str) -> bool:
    """Whether it may stand in metadata; what else it must be, the server says."""
    return all(" " <= each <= "~" for each in text)
