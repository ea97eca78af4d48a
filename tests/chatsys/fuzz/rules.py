"""What the contract says of the form of each field, written down again: from proto/, not from the server's code.

``faults(message)`` names the fields that no server may accept, whatever state it is in.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import Message

_ROOM = re.compile(r"[a-z0-9-]{1,63}")
_USER = re.compile(r"[A-Za-z0-9._-]{1,128}")
_POSITION = re.compile(r"[0-9a-f]{16}\.[0-9a-z]{1,13}")
_PRINTABLE = re.compile(r"[!-~]*")

Rule = Callable[[Any], bool]


def _text(most: int, least: int = 0) -> Rule:
    return lambda value: least <= len(value) <= most and _PRINTABLE.fullmatch(value) is not None


def _shape(pattern: re.Pattern[str]) -> Rule:
    return lambda value: pattern.fullmatch(value) is not None


def _or_empty(rule: Rule) -> Rule:
    return lambda value: value == "" or rule(value)


def _free(most: int) -> Rule:
    return lambda value: len(value) <= most


def _from_zero(value: int) -> bool:
    return value >= 0


def _enum(value: int) -> bool:
    return 0 <= value <= 3


def _some(number: int) -> Rule:
    return lambda value: len(value) <= number


def _whole_duration(value: Any) -> bool:
    return value.seconds >= 0 and value.nanos >= 0 and (value.seconds > 0 or value.nanos == 0)


RULES: dict[str, Rule] = {
    "room_id": _shape(_ROOM),
    "user_id": _shape(_USER),
    "consumer_id": _text(128),
    "client_message_id": _text(64),
    "request_id": _text(128),
    "RequestProgressRequest.token": _text(64, 1),
    "content": lambda value: 1 <= len(value) <= 65_536,
    "content_type": _free(127),
    "display_name": _free(128),
    "page_size": _from_zero,
    "max_messages": _from_zero,
    "max_unacked_messages": _from_zero,
    "sequence": _from_zero,
    "after_sequence": _from_zero,
    "before_sequence": _from_zero,
    "AddMemberRequest.role": _enum,
    "CreateRoomRequest.room.history_visibility": lambda value: 0 <= value <= 2,
    "CreateRoomRequest.room.join_policy": lambda value: 0 <= value <= 2,
    "CreateRoomRequest.room.retention.max_entries": _from_zero,
    "CreateRoomRequest.room.retention.max_age": _whole_duration,
    "min_positions": _some(1_000),
    "min_positions[]": _shape(_POSITION),
    "room_ids[]": _shape(_ROOM),
    "member_ids": _some(256),
    "admin_ids": _some(256),
    "member_ids[]": _shape(_USER),
    "admin_ids[]": _shape(_USER),
    "scopes[]": lambda value: value in ("user", "admin"),
    "SendMessagesRequest.requests": _some(1_000),
    "PollRequest.wait": lambda value: value.seconds * 10**9 + value.nanos >= 0,
    # Who is nobody in particular, and what of a room is not read when it is made or changed.
    "GetUserRequest.user_id": _or_empty(_shape(_USER)),
    "ExplainDeliveryRequest.user_id": _or_empty(_shape(_USER)),
    "RevokeTokensRequest.user_id": _or_empty(_shape(_USER)),
    "RegisterUserRequest.display_name": _free(128),
    "UpdateRoomRequest.room.display_name": lambda _: True,
}


def faults(message: Message) -> list[str]:
    """The paths of fields that are not as the contract wants them, the innermost of each only."""
    return list(_faults(message, message.DESCRIPTOR.name, needed=True))


def _faults(message: Message, path: str, *, needed: bool) -> Iterator[str]:
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        where = f"{path}.{field.name}"
        rule = RULES.get(where) or RULES.get(field.name)
        if field.is_repeated:
            if rule is not None and not rule(value):
                yield where
            each_rule = RULES.get(f"{field.name}[]")
            for each in value:
                if field.message_type is not None:
                    if field.name != "requests":  # each of a batch is answered by itself
                        yield from _faults(each, where, needed=True)
                elif each_rule is not None and not each_rule(each):
                    yield where
        elif field.message_type is not None and field.message_type.full_name.startswith("chatsys."):
            yield from _faults(value, where, needed=message.HasField(field.name))
        elif rule is not None and (needed or field.name == "room_id") and not rule(value):
            yield where
