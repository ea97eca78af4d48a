"""Who may see what, and where reading starts. Three lines that everything else leans on.

An entry is visible to a user who is a member now, and (WHOLE_ROOM, or its sequence is beyond their current
join).
"""

from chatsys.core.model import History, Membership, Room


def floor(history: History, join_sequence: int) -> int:
    """The sequence after which a current member may see entries."""
    return 0 if history is History.WHOLE_ROOM else join_sequence


def start(room: Room, membership: Membership, acked: int) -> int:
    """The cursor of a consumer of a current member: reading starts after it.

    Just before the first entry visible to the user, but never below what the consumer acknowledged, in this
    membership or an earlier one.
    """
    return max(floor(room.history, membership.join_sequence), acked)


def ending_is_news(membership: Membership, acked: int) -> bool:
    """Whether a consumer must still be told that this membership ended: until it acknowledges that entry."""
    return not membership.current and acked < membership.end_sequence
