"""Who takes part: clients and rooms, as a scenario declares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Receive = Literal["stream", "poll", "manual"]
Acks = Literal["auto", "manual"]
Sends = Literal["unary", "stream"]
HistoryVisibility = Literal["since_join", "whole_room"]
Entry = Literal["invite", "open"]
Auth = Literal["none", "tokens"]
Token = Literal["valid", "missing", "forged", "expired", "revoked", "other_audience", "literal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One user on one device, played by one process."""

    name: str
    user: str
    """Whose device it is; rooms list users. Equal to `name` unless the author said otherwise."""
    display_name: str
    receive: Receive = "stream"
    receive_given: bool = False
    """Whether the author wrote `receive`; a driver that cannot stream polls for those of whom nothing is said."""
    acks: Acks = "auto"
    include_own: bool = False
    consumer: str = ""
    window: int | None = None
    """After so many unacknowledged messages it wants no more; None leaves it to the server."""
    handles_per_s: float | None = None
    """A slow reader's pace: so many messages are handed over and acknowledged a second; None is no limit."""
    sends: Sends = "unary"
    """By a call for each message, or all by one open stream."""
    stay_offline: bool = False
    """Offline at the end, it is not brought back to be read: its record is judged as it is."""
    token: Token = "valid"  # noqa: S105 - the kind of one
    """The kind of token it shows."""
    token_text: str | None = None
    """The token itself when its kind is `literal`."""
    env: tuple[tuple[str, str], ...] = ()
    """Environment of its process, beside what it inherits."""
    command: str | None = None
    """A driver command of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room, as it is made: before the first step, or by a `create` step."""

    name: str
    members: tuple[str, ...]
    """Users, admins included."""
    admins: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    """Users who may not send; members too."""
    history: HistoryVisibility = "since_join"
    entry: Entry = "invite"
