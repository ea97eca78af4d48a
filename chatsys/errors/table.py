"""The one table of reasons: ErrorInfo.reason, its status, when it happens, what a client does about it.

Invariant: each reason has exactly one status code. No server code names a status beside a reason.
"""

import enum
from typing import NamedTuple

DOMAIN = "chatsys"
"""ErrorInfo.domain of every reason here."""


class Code(enum.IntEnum):
    """The numbers of google.rpc.Code, which are those of the gRPC status codes."""

    CANCELLED = 1
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class Reason(enum.StrEnum):
    """ErrorInfo.reason: stable words that programs may branch on."""

    FIELD_INVALID = "FIELD_INVALID"
    CONTENT_TOO_LARGE = "CONTENT_TOO_LARGE"
    TOKEN_MISSING = "TOKEN_MISSING"  # noqa: S105  # a word
    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105  # a word
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105  # a word
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105  # a word
    TOKENS_NOT_USED = "TOKENS_NOT_USED"
    NOT_A_MEMBER = "NOT_A_MEMBER"
    ROLE_REQUIRED = "ROLE_REQUIRED"
    REGISTRATION_CLOSED = "REGISTRATION_CLOSED"
    USER_NOT_FOUND = "USER_NOT_FOUND"
    MEMBER_NOT_FOUND = "MEMBER_NOT_FOUND"
    MESSAGE_NOT_FOUND = "MESSAGE_NOT_FOUND"
    ROOM_EXISTS = "ROOM_EXISTS"
    CLIENT_MESSAGE_ID_REUSED = "CLIENT_MESSAGE_ID_REUSED"
    ROOM_DELETED = "ROOM_DELETED"
    LAST_ADMIN = "LAST_ADMIN"
    DIRECT_ROOM = "DIRECT_ROOM"
    JOIN_POLICY = "JOIN_POLICY"
    NO_OPEN_STREAM = "NO_OPEN_STREAM"
    LOG_EPOCH_CHANGED = "LOG_EPOCH_CHANGED"
    ETAG_MISMATCH = "ETAG_MISMATCH"
    SESSION_REPLACED = "SESSION_REPLACED"
    ACK_BEYOND_HEAD = "ACK_BEYOND_HEAD"
    SEQUENCE_EXPIRED = "SEQUENCE_EXPIRED"
    RATE_LIMITED = "RATE_LIMITED"
    TOO_MANY_SUBSCRIPTIONS = "TOO_MANY_SUBSCRIPTIONS"
    TOO_MANY_ROOMS = "TOO_MANY_ROOMS"
    TOO_MANY_MEMBERS = "TOO_MANY_MEMBERS"
    STORE_FULL = "STORE_FULL"
    DRAINING = "DRAINING"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    NO_QUORUM = "NO_QUORUM"
    POSITION_NOT_REACHED = "POSITION_NOT_REACHED"
    CALL_CANCELLED = "CALL_CANCELLED"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    LOG_CORRUPT = "LOG_CORRUPT"
    BUG = "BUG"

    @property
    def code(self) -> Code:
        """The status that this reason comes with."""
        return TABLE[self].code


class Row(NamedTuple):
    """One line of the table; the sentences are those of docs/errors.md."""

    code: Code
    when: str
    extra: str
    client: str


_RAISE = "raise"

TABLE: dict[Reason, Row] = {
    Reason.FIELD_INVALID: Row(
        Code.INVALID_ARGUMENT,
        "A field is malformed: a bad id, empty content, a negative number, a position or page token that the "
        "server did not make.",
        "BadRequest with one violation for each bad field",
        _RAISE,
    ),
    Reason.CONTENT_TOO_LARGE: Row(
        Code.INVALID_ARGUMENT,
        "The content is larger than ServerLimits.max_content_bytes.",
        "BadRequest; metadata `limit`, `size`",
        _RAISE,
    ),
    Reason.TOKEN_MISSING: Row(
        Code.UNAUTHENTICATED,
        "The call names no caller: no bearer token, or under `--auth none` no `chatsys-user`.",
        "",
        _RAISE,
    ),
    Reason.TOKEN_INVALID: Row(
        Code.UNAUTHENTICATED,
        "The token is not one of this server's, or under `--auth none` the name is no user id.",
        "",
        _RAISE,
    ),
    Reason.TOKEN_EXPIRED: Row(
        Code.UNAUTHENTICATED,
        "The token has ended; a stream whose token ends is ended with this too.",
        "metadata `expire_time`",
        "refresh once, else raise",
    ),
    Reason.TOKEN_REVOKED: Row(
        Code.UNAUTHENTICATED,
        "The token was revoked; streams opened with it are ended with this too.",
        "",
        _RAISE,
    ),
    Reason.TOKENS_NOT_USED: Row(
        Code.FAILED_PRECONDITION, "A token is to be made or revoked under `--auth none`.", "", _RAISE
    ),
    Reason.NOT_A_MEMBER: Row(
        Code.PERMISSION_DENIED,
        "The caller is not a member of the room, or there is no such room: an outsider cannot tell which.",
        "ResourceInfo",
        _RAISE,
    ),
    Reason.ROLE_REQUIRED: Row(
        Code.PERMISSION_DENIED,
        "The caller's role or scope does not allow this, such as a reader who sends or a writer who removes.",
        "metadata `required_role`",
        _RAISE,
    ),
    Reason.REGISTRATION_CLOSED: Row(
        Code.PERMISSION_DENIED,
        "RegisterUser without the admin scope, where registration is not open; or no key is there to sign with.",
        "",
        _RAISE,
    ),
    Reason.USER_NOT_FOUND: Row(Code.NOT_FOUND, "No user with this id is known.", "ResourceInfo", _RAISE),
    Reason.MEMBER_NOT_FOUND: Row(
        Code.NOT_FOUND,
        "The caller may see the room, and the user named is not a member of it.",
        "ResourceInfo",
        _RAISE,
    ),
    Reason.MESSAGE_NOT_FOUND: Row(
        Code.NOT_FOUND,
        "The caller may see the room, and it has no such message.",
        "ResourceInfo",
        _RAISE,
    ),
    Reason.ROOM_EXISTS: Row(
        Code.ALREADY_EXISTS,
        "CreateRoom of an id that is taken, unless it repeats the request that made the room.",
        "ResourceInfo",
        _RAISE,
    ),
    Reason.CLIENT_MESSAGE_ID_REUSED: Row(
        Code.ALREADY_EXISTS,
        "This sender has stored other content in this room under the same client_message_id.",
        "metadata `sequence`",
        "raise (a bug)",
    ),
    Reason.ROOM_DELETED: Row(
        Code.FAILED_PRECONDITION,
        "The room was deleted. Told to those who were in it to its end; to all others it is as if it never was.",
        "ResourceInfo",
        _RAISE,
    ),
    Reason.LAST_ADMIN: Row(
        Code.FAILED_PRECONDITION,
        "The last ADMIN would leave, be removed or lose the role while others remain.",
        "ResourceInfo",
        _RAISE,
    ),
    Reason.DIRECT_ROOM: Row(
        Code.FAILED_PRECONDITION,
        "A direct room is the conversation of two people: nobody is added, removed or re-roled, it is not opened "
        "to others, and it is not deleted.",
        "ResourceInfo",
        _RAISE,
    ),
    Reason.JOIN_POLICY: Row(
        Code.FAILED_PRECONDITION,
        "The room's join policy does not allow this to somebody who may see the room.",
        "ResourceInfo",
        _RAISE,
    ),
    Reason.NO_OPEN_STREAM: Row(
        Code.FAILED_PRECONDITION,
        "RequestProgress for a consumer that has no open stream on this replica.",
        "",
        "subscribe, then ask again",
    ),
    Reason.LOG_EPOCH_CHANGED: Row(
        Code.FAILED_PRECONDITION,
        "A position of another log epoch: the log was lost or restored from an older copy.",
        "metadata `old`, `new`",
        "drop the position, resume from the cursor, report",
    ),
    Reason.ETAG_MISMATCH: Row(
        Code.ABORTED,
        "The room's settings changed since it was read.",
        "ResourceInfo; metadata `etag`",
        "read again; the caller decides",
    ),
    Reason.SESSION_REPLACED: Row(
        Code.ABORTED,
        "The consumer was subscribed elsewhere; the newer stream goes on.",
        "metadata `instance_id`",
        "stop, raise",
    ),
    Reason.ACK_BEYOND_HEAD: Row(
        Code.OUT_OF_RANGE,
        "An ack or resume_after of what does not exist yet.",
        "metadata `head`",
        "raise (a bug)",
    ),
    Reason.SEQUENCE_EXPIRED: Row(
        Code.OUT_OF_RANGE,
        "ListMessages before the oldest entry that is still stored.",
        "metadata `first_sequence`",
        _RAISE,
    ),
    Reason.RATE_LIMITED: Row(
        Code.RESOURCE_EXHAUSTED,
        "The caller sends faster than it may.",
        "RetryInfo",
        "wait, retry",
    ),
    Reason.TOO_MANY_SUBSCRIPTIONS: Row(
        Code.RESOURCE_EXHAUSTED,
        "The caller has too many open streams and waiting polls.",
        "metadata `limit`",
        _RAISE,
    ),
    Reason.TOO_MANY_ROOMS: Row(
        Code.RESOURCE_EXHAUSTED, "A user would be in too many rooms.", "metadata `limit`", _RAISE
    ),
    Reason.TOO_MANY_MEMBERS: Row(
        Code.RESOURCE_EXHAUSTED, "A room would have too many members.", "metadata `limit`", _RAISE
    ),
    Reason.STORE_FULL: Row(
        Code.RESOURCE_EXHAUSTED,
        "There is no room on the server's disk. Nothing was stored; reading goes on.",
        "RetryInfo",
        "wait, retry",
    ),
    Reason.DRAINING: Row(
        Code.UNAVAILABLE, "The server is about to leave.", "RetryInfo", "retry elsewhere with backoff"
    ),
    Reason.STORE_UNAVAILABLE: Row(
        Code.UNAVAILABLE,
        "The log cannot be written or read now, or too much waits to be written.",
        "RetryInfo",
        "retry with backoff; the outcome of a send is unknown",
    ),
    Reason.NO_QUORUM: Row(
        Code.UNAVAILABLE,
        "The replicated log has no majority.",
        "RetryInfo",
        "retry with backoff; the outcome of a send is unknown",
    ),
    Reason.POSITION_NOT_REACHED: Row(
        Code.DEADLINE_EXCEEDED,
        "The positions asked for were not applied here in time.",
        "metadata `applied`",
        "the caller decides",
    ),
    Reason.CALL_CANCELLED: Row(
        Code.CANCELLED, "The call was cancelled before it was done.", "", "the caller decides"
    ),
    Reason.NOT_IMPLEMENTED: Row(
        Code.UNIMPLEMENTED,
        "This build does not have the method; GetServerInfo.unimplemented_methods lists it.",
        "metadata `method`",
        _RAISE,
    ),
    Reason.LOG_CORRUPT: Row(
        Code.DATA_LOSS,
        "The log is not what was written. The server answers nothing else until a backup was restored.",
        "",
        "stop, alarm",
    ),
    Reason.BUG: Row(
        Code.INTERNAL,
        "Something unexpected; the message holds an error id only, the server's log has the rest.",
        "metadata `error_id`",
        _RAISE,
    ),
}
