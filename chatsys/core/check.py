"""The form of what callers send: ids, names, contents, numbers. Needs no state, so it comes before deciding.

Every check raises ``Refusal`` with the path of the field, and says what would be right.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from chatsys.errors import Reason, Refusal, Violation

MAX_ROOM = 63
MAX_NAME = 128
MAX_CONTENT_TYPE = 127
MAX_CLIENT_ID = 64
MAX_CONSUMER = 128
MAX_REQUEST_ID = 128
MAX_FIRST_MEMBERS = 256
MAX_SEQUENCE = 2**63 - 1
MAX_AGE_SECONDS = 100 * 365 * 86_400

_ROOM = re.compile(rf"[a-z0-9-]{{1,{MAX_ROOM}}}", re.ASCII)
_USER_ID = f"1 to {MAX_NAME} characters of A-Z, a-z, 0-9, '.', '_' and '-'"
_USER = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_DIRECT = re.compile(r"dm-[0-9a-f]{40}", re.ASCII)
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)


def room_id(value: str, field: str = "room_id") -> None:
    """1-63 characters of [a-z0-9-]."""
    if _ROOM.fullmatch(value) is None:
        raise Refusal.field(field, "a room id is 1 to 63 characters of a-z, 0-9 and -")


@lru_cache(maxsize=1_024)
def _is_room(value: str) -> bool:
    return _ROOM.fullmatch(value) is not None


def new_room_id(value: str, field: str) -> None:
    """A room id that somebody may choose: none of those that direct rooms have."""
    room_id(value, field)
    if _DIRECT.fullmatch(value) is not None:
        raise Refusal.field(field, "is of the form of direct rooms; OpenDirectRoom makes those")


def is_user_id(value: str) -> bool:
    """1-128 characters of [A-Za-z0-9._-]."""
    return _USER.fullmatch(value) is not None


def no_user_id(value: str) -> str:
    """The sentence about what is none, for those who typed it."""
    return f"{value!r} is no user id: {_USER_ID}"


def user_id(value: str, field: str = "user_id") -> None:
    """See ``is_user_id``."""
    if not is_user_id(value):
        raise Refusal.field(field, f"a user id is {_USER_ID}")


def display_name(value: str, field: str = "display_name") -> None:
    """Free text of at most 128 characters."""
    if len(value) > MAX_NAME:
        raise Refusal.field(field, f"has {len(value)} characters; at most {MAX_NAME} are allowed")


def consumer_id(value: str, field: str = "consumer_id") -> None:
    """Empty, or at most 128 printable ASCII characters."""
    if value and (len(value) > MAX_CONSUMER or _PRINTABLE.fullmatch(value) is None):
        raise Refusal.field(field, f"a consumer id is at most {MAX_CONSUMER} printable ASCII characters")


def request_id(value: str, field: str = "request_id") -> None:
    """Empty, or at most 128 printable ASCII characters."""
    if value and (len(value) > MAX_REQUEST_ID or _PRINTABLE.fullmatch(value) is None):
        raise Refusal.field(field, f"a request id is at most {MAX_REQUEST_ID} printable ASCII characters")


def progress_token(value: str, field: str = "token") -> None:
    """1-64 printable ASCII characters."""
    if len(value) > MAX_CLIENT_ID or _PRINTABLE.fullmatch(value) is None:
        raise Refusal.field(field, f"a progress token is 1 to {MAX_CLIENT_ID} printable ASCII characters")


def message(room: str, content: bytes, content_type: str, client_id: str, max_content: int) -> None:
    """All that can be wrong with the form of one message to send."""
    # This runs for every message, and most are for few rooms.
    if len(room) > MAX_ROOM or not _is_room(room):
        room_id(room)
    if not content:
        raise Refusal.field("content", "is empty; a message has at least 1 byte")
    if len(content) > max_content:
        text = f"has {len(content)} bytes; this server takes at most {max_content}"
        raise Refusal(
            Reason.CONTENT_TOO_LARGE,
            f"content: {text}",
            metadata={"limit": str(max_content), "size": str(len(content))},
            violations=(Violation("content", text),),
        )
    if len(content_type) > MAX_CONTENT_TYPE:
        raise Refusal.field(
            "content_type", f"has {len(content_type)} characters; at most {MAX_CONTENT_TYPE} are allowed"
        )
    if len(client_id) > MAX_CLIENT_ID or not (
        client_id.isascii() and client_id.isprintable() and " " not in client_id
    ):
        raise Refusal.field(
            "client_message_id", f"is up to {MAX_CLIENT_ID} printable ASCII characters, without blanks"
        )


def sequence(value: int, field: str) -> None:
    """Not negative."""
    if value < 0:
        raise Refusal.field(field, f"is {value}; sequences are not negative")


def acks(pairs: Iterable[tuple[str, int]], field: str = "acks") -> tuple[tuple[str, int], ...]:
    """Each room once, with a possible sequence; returns the pairs."""
    seen: dict[str, int] = {}
    for index, (room, through) in enumerate(pairs):
        room_id(room, f"{field}[{index}].room_id")
        sequence(through, f"{field}[{index}].sequence")
        if room in seen:
            raise Refusal.field(f"{field}[{index}].room_id", f"room {room!r} is named twice")
        seen[room] = through
    return tuple(seen.items())


def page_size(value: int, default: int, most: int, field: str = "page_size") -> int:
    """The page size in force: the default for 0, never more than ``most``."""
    if value < 0:
        raise Refusal.field(field, f"is {value}; it is not negative, and 0 means {default}")
    return min(value or default, most)
