"""Who we say we are, in the metadata of every call: a name, a token, or a function that gets a fresh token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chatsys.client.errors import ChatError

#: Gets a token: called for the first call, and again when the server says that the one before has ended.
TokenSource = Callable[[], str]

#: Reasons for which another token may help.
_RENEW: Final = frozenset({"TOKEN_EXPIRED", "TOKEN_REVOKED", "TOKEN_INVALID"})


class Credentials:
    """Of one client. Never shows the token to anybody but the server."""

    def __init__(self, user: str | None, token: str | TokenSource | None) -> None:
        self._user = user
        self._source = token if callable(token) else None
        self._token = token if isinstance(token, str) else None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with a call."""
        if self._token is None and self._source is not None:
            self._token = self._source()
        if self._token is not None:
            return (("authorization", f"Bearer {self._token}"),)
        if self._user is not None:
            return (("chatsys-user", self._user),)
        return ()

    def renew(self, fault: ChatError) -> bool:
        """After a refusal, see whether there is another token to try with."""
        if self._source is None or fault.reason not in _RENEW:
            return False
        before, self._token = self._token, self._source()
        return self._token != before
