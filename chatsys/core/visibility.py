"""Who may see what, and where reading starts. Two rules that everything else leans on.

An entry is visible to a user who is a member now, and (WHOLE_ROOM, or its sequence is beyond their current
join).
"""

from chatsys.core.model import History


def floor(history: History, join_sequence: int) -> int:
    """The sequence after which a current member may see entries."""
    return 0 if history is History.WHOLE_ROOM else join_sequence


def start(history: History, join_sequence: int, acked: int) -> int:
    """The cursor of a consumer of a current member: reading starts after it.

    Just before the first entry visible to the user, but never below what the consumer acknowledged, in this
    membership or an earlier one.
    """
    return max(floor(history, join_sequence), acked)
