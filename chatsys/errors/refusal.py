"""The exception of a call that is refused. It knows its reason; the table knows the status."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from chatsys.errors.table import Code, Reason

MAX_SENTENCE = 300
"""Characters of a message or a description. They travel in trailers, which clients refuse beyond 8 KiB, the message
twice; a character has up to four bytes, and each of these is percent-encoded once."""


class Violation(NamedTuple):
    """What is wrong with one field of a request."""

    field: str
    """Path in the request, such as ``acks[1].sequence``."""
    description: str
    """A sentence: what is wrong, what would be right."""


class Refusal(Exception):  # noqa: N818  # it is also returned as an outcome, which is no error of ours
    """A request is answered with an error.

    Args:
        reason: Row of the table.
        message: For developers to read; no message contents.
        metadata: ErrorInfo.metadata.
        violations: For BadRequest.
        resource: (type, name) for ResourceInfo.
        retry_after: Seconds for RetryInfo, or None when trying again is no use.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        resource: tuple[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = _cut(message)
        self.metadata = dict(metadata or {})
        self.violations = tuple(Violation(each.field, _cut(each.description)) for each in violations)
        self.resource = resource
        self.retry_after = retry_after

    @property
    def code(self) -> Code:
        """The status, from the table."""
        return self.reason.code

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later without anybody changing anything."""
        return self.code is Code.UNAVAILABLE or self.retry_after is not None

    @classmethod
    def field(cls, field: str, description: str) -> "Refusal":
        """FIELD_INVALID for one field."""
        return cls(
            Reason.FIELD_INVALID, f"{field}: {description}", violations=(Violation(field, description),)
        )

    @classmethod
    def not_a_member(cls, room_id: str) -> "Refusal":
        """The one answer to every outsider, whether the room exists or not."""
        return cls(
            Reason.NOT_A_MEMBER,
            f"you are not a member of room {room_id!r} (or it might not exist)",
            resource=("room", room_id),
        )

    @classmethod
    def room_deleted(cls, room_id: str) -> "Refusal":
        """The answer to those who were in a room when it was deleted, and to the admin scope."""
        return cls(
            Reason.ROOM_DELETED,
            f"room {room_id!r} was deleted; its id is not given out again",
            resource=("room", room_id),
        )

    @classmethod
    def store_unavailable(cls, message: str) -> "Refusal":
        """The log cannot be used now; what was being written may or may not be there later."""
        return cls(Reason.STORE_UNAVAILABLE, message, retry_after=0.1)

    @classmethod
    def bug(cls, error_id: str) -> "Refusal":
        """Something unexpected happened; the log has it under this id."""
        return cls(
            Reason.BUG,
            f"unexpected error {error_id}; the server's log has the details",
            metadata={"error_id": error_id},
        )

    def bare(self) -> Self:
        """Itself, without the frames that it was raised through, for those who keep it.

        These hold the request, or all that was being decided with it; and where one of them keeps the refusal, all
        of it stays until Python looks for cycles.
        """
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)

    def __repr__(self) -> str:
        return f"Refusal({self.reason}, {self.message!r})"


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= MAX_SENTENCE else f"{sentence[: MAX_SENTENCE - 1]}…"
