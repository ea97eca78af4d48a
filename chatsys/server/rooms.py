"""RoomService: the control plane. Each method checks its request and has the entry decided."""

from typing import Any, TypeVar

from chatsys.core import check
from chatsys.core.entry import Add, CreateRoom, Delete, Join, Leave, OpenDirect, Remove, Update
from chatsys.core.model import Entry, History, Membership, Role, Room
from chatsys.core.outcome import Gone, MemberIs, RoomIs, RoomMade
from chatsys.errors import Refusal
from chatsys.server.call import Call
from chatsys.server.services import House, clock_us, timestamp
from chatsys.server.settings import Limits
from chatsys.v1 import room_pb2, types_pb2

Choice = TypeVar("Choice", History, Entry, Role)

DEFAULT_ROOMS = 50
DEFAULT_MEMBERS = 100
PATHS = ("display_name", "join_policy", "retention")
"""What UpdateRoom may change."""


class RoomService:
    """See chatsys.v1.RoomService.

    Args:
        house: What it works with.
    """

    def __init__(self, house: House) -> None:
        self._house = house

    async def create_room(self, request: room_pb2.CreateRoomRequest, call: Call) -> Any:
        """Creates a room with its first members."""
        entry = _creation(request, call, self._house.limits)
        made = await self._house.ask(entry, RoomMade)
        return room_pb2.CreateRoomResponse(room=_room(made.room), position=self._house.now())

    async def get_room(self, request: room_pb2.GetRoomRequest, call: Call) -> Any:
        """Reads one room."""
        check.room_id(request.room_id)
        await self._house.reach(request.min_positions, call)
        _, room = self._house.room_of(self._house.store.reads(), call, request.room_id)
        return room_pb2.GetRoomResponse(room=_room(room))

    async def list_rooms(self, request: room_pb2.ListRoomsRequest, call: Call) -> Any:
        """Lists the caller's rooms, and open ones when asked."""
        size = check.page_size(request.page_size, DEFAULT_ROOMS, self._house.limits.max_page_size)
        if request.page_token:
            check.room_id(request.page_token, "page_token")
        await self._house.reach(request.min_positions, call)
        rooms = self._house.store.reads().rooms_of(
            call.user_id, include_open=request.include_open, after=request.page_token, limit=size + 1
        )
        answer = room_pb2.ListRoomsResponse(rooms=[_room(room) for room in rooms[:size]])
        if len(rooms) > size:
            answer.next_page_token = rooms[size - 1].room_id
        return answer

    async def update_room(self, request: room_pb2.UpdateRoomRequest, call: Call) -> Any:
        """Changes settings."""
        updated = await self._house.ask(_change(request, call), RoomIs)
        return room_pb2.UpdateRoomResponse(room=_room(updated.room), position=self._house.now())

    async def delete_room(self, request: room_pb2.DeleteRoomRequest, call: Call) -> Any:
        """Ends a room."""
        check.room_id(request.room_id)
        await self._house.ask(Delete(call.caller, clock_us(), request.room_id, request.etag), Gone)
        return room_pb2.DeleteRoomResponse(position=self._house.now())

    async def open_direct_room(self, request: room_pb2.OpenDirectRoomRequest, call: Call) -> Any:
        """Opens the conversation with one other user."""
        check.user_id(request.user_id)
        if request.user_id == call.user_id:
            raise Refusal.field(
                "user_id", "is the caller; a direct room is a conversation with somebody else"
            )
        entry = OpenDirect(call.caller, clock_us(), request.user_id, *kept(self._house.limits))
        opened = await self._house.ask(entry, RoomMade)
        return room_pb2.OpenDirectRoomResponse(room=_room(opened.room), position=self._house.now())

    async def join_room(self, request: room_pb2.JoinRoomRequest, call: Call) -> Any:
        """Adds the caller to an open room."""
        check.room_id(request.room_id)
        joined = await self._house.ask(Join(call.caller, clock_us(), request.room_id), MemberIs)
        return room_pb2.JoinRoomResponse(member=self._member(joined.membership), position=self._house.now())

    async def leave_room(self, request: room_pb2.LeaveRoomRequest, call: Call) -> Any:
        """Removes the caller."""
        check.room_id(request.room_id)
        await self._house.ask(Leave(call.caller, clock_us(), request.room_id), Gone)
        return room_pb2.LeaveRoomResponse(position=self._house.now())

    async def add_member(self, request: room_pb2.AddMemberRequest, call: Call) -> Any:
        """Adds or re-roles another user."""
        check.room_id(request.room_id)
        check.user_id(request.user_id)
        role = _choice(Role, request.role, Role.WRITER, "role")
        entry = Add(call.caller, clock_us(), request.room_id, request.user_id, role)
        added = await self._house.ask(entry, MemberIs)
        return room_pb2.AddMemberResponse(member=self._member(added.membership), position=self._house.now())

    async def remove_member(self, request: room_pb2.RemoveMemberRequest, call: Call) -> Any:
        """Removes another user."""
        check.room_id(request.room_id)
        check.user_id(request.user_id)
        await self._house.ask(Remove(call.caller, clock_us(), request.room_id, request.user_id), Gone)
        return room_pb2.RemoveMemberResponse(position=self._house.now())

    async def list_members(self, request: room_pb2.ListMembersRequest, call: Call) -> Any:
        """Lists members by user id."""
        check.room_id(request.room_id)
        size = check.page_size(request.page_size, DEFAULT_MEMBERS, self._house.limits.max_page_size)
        if request.page_token:
            check.user_id(request.page_token, "page_token")
        await self._house.reach(request.min_positions, call)
        reads = self._house.store.reads()
        number, room = self._house.room_of(reads, call, request.room_id)
        members = reads.members(number, room.room_id, request.page_token, size + 1)
        answer = room_pb2.ListMembersResponse(
            members=[_member(membership, name) for membership, name in members[:size]]
        )
        if len(members) > size:
            answer.next_page_token = members[size - 1][0].user_id
        return answer

    def _member(self, membership: Membership) -> types_pb2.Member:
        user = self._house.store.reads().user(membership.user_id)
        return _member(membership, "" if user is None else user.display_name)


def _creation(request: room_pb2.CreateRoomRequest, call: Call, limits: Limits) -> CreateRoom:
    """The entry for a CreateRoom, each first member once.

    Raises:
        Refusal: FIELD_INVALID.
    """
    wanted = request.room
    check.new_room_id(wanted.room_id, "room.room_id")
    check.display_name(wanted.display_name, "room.display_name")
    max_age_us, max_entries = _retention(wanted) if wanted.HasField("retention") else kept(limits)
    check.request_id(request.request_id)
    named = len(request.member_ids) + len(request.admin_ids)
    if named > check.MAX_FIRST_MEMBERS:
        raise Refusal.field(
            "member_ids",
            f"and admin_ids name {named} users; at most {check.MAX_FIRST_MEMBERS} together,"
            " and AddMember for more",
        )
    roles: dict[str, Role] = {}
    for index, user_id in enumerate(request.member_ids):
        check.user_id(user_id, f"member_ids[{index}]")
        roles[user_id] = Role.WRITER
    for index, user_id in enumerate(request.admin_ids):
        check.user_id(user_id, f"admin_ids[{index}]")
        roles[user_id] = Role.ADMIN
    if not request.exclude_caller:
        roles[call.user_id] = Role.ADMIN
    return CreateRoom(
        caller=call.caller,
        time_us=clock_us(),
        room_id=wanted.room_id,
        display_name=wanted.display_name,
        history=_choice(History, wanted.history_visibility, History.SINCE_JOIN, "room.history_visibility"),
        entry=_choice(Entry, wanted.join_policy, Entry.INVITE, "room.join_policy"),
        members=tuple(sorted(roles.items())),
        exclude_caller=request.exclude_caller,
        request_id=request.request_id,
        max_age_us=max_age_us,
        max_entries=max_entries,
    )


def _change(request: room_pb2.UpdateRoomRequest, call: Call) -> Update:
    """The entry for an UpdateRoom.

    Raises:
        Refusal: FIELD_INVALID.
    """
    wanted = request.room
    check.room_id(wanted.room_id, "room.room_id")
    paths = set(request.update_mask.paths)
    if not paths or not paths <= set(PATHS):
        stranger = min(paths - set(PATHS), default="")
        said = f"names {stranger[:40]!r}" if paths else "is empty"
        raise Refusal.field("update_mask", f"{said}; it names some of {', '.join(PATHS)}")
    entry = Update(call.caller, clock_us(), wanted.room_id, wanted.etag)
    if "display_name" in paths:
        check.display_name(wanted.display_name, "room.display_name")
        entry = entry._replace(display_name=wanted.display_name)
    if "join_policy" in paths:
        entry = entry._replace(entry=_choice(Entry, wanted.join_policy, Entry.INVITE, "room.join_policy"))
    if "retention" in paths:
        entry = entry._replace(retention=_retention(wanted))
    return entry


def kept(limits: Limits) -> tuple[int, int]:
    """What a room keeps for which nobody asked otherwise, as ``_retention`` says it."""
    return int(limits.room_max_age) * 1_000_000, limits.room_max_entries


def _retention(room: types_pb2.Room) -> tuple[int, int]:
    """Greatest age in microseconds and greatest number of entries; 0 where there is no limit."""
    given = room.retention
    seconds, nanos = given.max_age.seconds, given.max_age.nanos
    if not 0 <= seconds <= check.MAX_AGE_SECONDS or nanos < 0 or (nanos and not seconds):
        raise Refusal.field(
            "room.retention.max_age", f"is 0 for no limit, or 1 to {check.MAX_AGE_SECONDS:,} whole seconds"
        )
    check.sequence(given.max_entries, "room.retention.max_entries")
    return seconds * 1_000_000, given.max_entries


def _choice(kind: type[Choice], number: int, default: Choice, field: str) -> Choice:
    """The member of an enum of the contract; the default for UNSPECIFIED."""
    if number == 0:
        return default
    try:
        return kind(number)
    except ValueError:
        allowed = ", ".join(str(each.value) for each in kind)
        raise Refusal.field(field, f"is {number}; it is one of {allowed}") from None


def _room(room: Room) -> types_pb2.Room:
    answer = types_pb2.Room(
        room_id=room.room_id,
        display_name=room.display_name,
        history_visibility=types_pb2.HistoryVisibility.ValueType(room.history.value),
        join_policy=types_pb2.JoinPolicy.ValueType(room.entry.value),
        head_sequence=room.head,
        first_sequence=room.first,
        create_time=timestamp(room.create_time_us),
        etag=room.etag,
        direct=room.direct,
    )
    if room.max_age_us:
        answer.retention.max_age.seconds = room.max_age_us // 1_000_000
    if room.max_entries:
        answer.retention.max_entries = room.max_entries
    return answer


def _member(membership: Membership, display_name: str) -> types_pb2.Member:
    return types_pb2.Member(
        room_id=membership.room_id,
        user_id=membership.user_id,
        role=types_pb2.MemberRole.ValueType(membership.role.value),
        join_sequence=membership.join_sequence,
        join_time=timestamp(membership.join_time_us),
        display_name=display_name,
    )
