"""Why somebody has a message, or has not.

Pure: ``explain`` turns the facts about one consumer into a verdict and a sentence. Every combination of facts has
exactly one answer, and each sentence names the fact that decided.
"""

import enum
from typing import NamedTuple

from chatsys.core.model import History, Membership
from chatsys.core.visibility import floor


class Delivery(enum.IntEnum):
    """Numbers of chatsys.v1.DeliveryOutcome."""

    NOT_VISIBLE = 1
    OWN = 2
    PENDING = 3
    DELIVERED = 4
    ACKED = 5
    LOST = 6


class Facts(NamedTuple):
    """What is known about one message and one consumer."""

    user_id: str
    sequence: int
    sender_id: str
    """Empty when the message is no longer stored."""
    history: History
    membership: Membership | None
    acked: int
    stored: bool
    """Whether retention has left the message there."""
    delivered: int
    """How often this process wrote it, as far as it remembers."""
    connected: bool
    written_through: int
    """What the open stream was written, if one is open."""
    window_full: bool


def explain(facts: Facts) -> tuple[Delivery, str]:
    """The verdict, and a sentence without its full stop."""
    who, sequence, membership = facts.user_id, facts.sequence, facts.membership
    if membership is None:
        return Delivery.NOT_VISIBLE, f"{who} never was a member of the room"
    if not membership.current:
        return Delivery.NOT_VISIBLE, f"{who} is no member: that ended at {membership.end_sequence}"
    if sequence <= floor(facts.history, membership.join_sequence):
        return (
            Delivery.NOT_VISIBLE,
            f"{who} joined at {membership.join_sequence}, and sees only what came after that",
        )
    if facts.sender_id == who:
        return Delivery.OWN, f"{who} sent it; nobody gets back what they sent"
    if facts.acked >= sequence:
        return Delivery.ACKED, f"{who} has acknowledged everything up to {facts.acked}"
    if not facts.stored:
        return Delivery.LOST, f"retention removed it; {who} had acknowledged up to {facts.acked}"
    if facts.delivered or (facts.connected and facts.written_through >= sequence):
        return Delivery.DELIVERED, f"it was written to {who}, who has acknowledged up to {facts.acked}"
    if not facts.connected:
        return (
            Delivery.PENDING,
            f"{who} has no open stream here and has not polled for it; it waits behind {facts.acked}",
        )
    if facts.window_full:
        return (
            Delivery.PENDING,
            f"the window of {who} is full: it waits until more than {facts.acked} is acknowledged",
        )
    return Delivery.PENDING, f"it is on its way: {who} was written everything up to {facts.written_through}"
