"""The calls about rooms and who is in them. `RoomCaller` is a `Caller` that has them too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from google.protobuf.field_mask_pb2 import FieldMask

from chatsys.client.caller import DEFAULT_WITHIN, Caller
from chatsys.client.ids import uuid7
from chatsys.v1.room_pb2 import (
    AddMemberRequest,
    CreateRoomRequest,
    DeleteRoomRequest,
    GetRoomRequest,
    JoinRoomRequest,
    LeaveRoomRequest,
    ListMembersRequest,
    ListRoomsRequest,
    OpenDirectRoomRequest,
    RemoveMemberRequest,
    UpdateRoomRequest,
)
from chatsys.v1.types_pb2 import HistoryVisibility, JoinPolicy, Member, MemberRole, Retention, Room


class Changed(NamedTuple):
    """A membership changed, or was already as asked."""

    position: str
    sequence: int = 0
    """Where the membership began, for those who came; 0 for those who left."""


class RoomCaller(Caller):
    """One user on one server, with the calls about rooms."""

    async def create_room(
        self,
        room: str,
        *,
        display_name: str = "",
        members: Sequence[str] = (),
        admins: Sequence[str] = (),
        history: HistoryVisibility.ValueType = HistoryVisibility.HISTORY_VISIBILITY_SINCE_JOIN,
        entry: JoinPolicy.ValueType = JoinPolicy.JOIN_POLICY_INVITE,
        exclude_caller: bool = False,
        retention: Retention | None = None,
        within: float = DEFAULT_WITHIN,
    ) -> tuple[Room, str]:
        """Create a room with the caller as an admin of it; return it and a position.

        Args:
            room: its id, 1-63 characters of [a-z0-9-].
            display_name: shown to people.
            members: users who may write from the start.
            admins: users who may also add and remove others.
            history: whether who joins sees what was written before.
            entry: whether anybody may join.
            exclude_caller: the caller stays outside; needs the admin scope.
            retention: what is kept; None leaves it to the server, and an empty one keeps everything.
            within: seconds.
        """
        request = CreateRoomRequest(
            room=Room(
                room_id=room,
                display_name=display_name,
                history_visibility=history,
                join_policy=entry,
                retention=retention,
            ),
            member_ids=members,
            admin_ids=admins,
            exclude_caller=exclude_caller,
            request_id=uuid7(),
        )
        answer = await self._transport.call(self._transport.rooms.CreateRoom, request, within=within)
        self.place.saw(answer.position)
        return answer.room, answer.position

    async def join_room(self, room: str, *, within: float = DEFAULT_WITHIN) -> Changed:
        """Join an open room; joining twice changes nothing."""
        return await self._change(self._transport.rooms.JoinRoom, JoinRoomRequest(room_id=room), within)

    async def leave_room(self, room: str, *, within: float = DEFAULT_WITHIN) -> Changed:
        """Leave a room; leaving twice changes nothing."""
        return await self._change(self._transport.rooms.LeaveRoom, LeaveRoomRequest(room_id=room), within)

    async def add_member(
        self,
        room: str,
        user: str,
        *,
        role: MemberRole.ValueType = MemberRole.MEMBER_ROLE_WRITER,
        within: float = DEFAULT_WITHIN,
    ) -> Changed:
        """Add another user, or change what they may do."""
        request = AddMemberRequest(room_id=room, user_id=user, role=role)
        return await self._change(self._transport.rooms.AddMember, request, within)

    async def remove_member(self, room: str, user: str, *, within: float = DEFAULT_WITHIN) -> Changed:
        """Remove another user."""
        request = RemoveMemberRequest(room_id=room, user_id=user)
        return await self._change(self._transport.rooms.RemoveMember, request, within)

    async def _change(self, method: Any, request: Any, within: float) -> Changed:
        answer = await self._transport.call(method, request, within=within)
        self.place.saw(answer.position)
        member: Member | None = getattr(answer, "member", None)
        return Changed(answer.position, member.join_sequence if member is not None else 0)

    async def list_rooms(self, *, include_open: bool = False, within: float = DEFAULT_WITHIN) -> list[Room]:
        """Return the caller's rooms, and with `include_open` those that anybody may join."""
        request = ListRoomsRequest(include_open=include_open)
        return [room async for room in self._pages(self._transport.rooms.ListRooms, request, "rooms", within)]

    async def list_members(self, room: str, *, within: float = DEFAULT_WITHIN) -> list[Member]:
        """Return the members of a room."""
        request = ListMembersRequest(room_id=room)
        return [
            member
            async for member in self._pages(self._transport.rooms.ListMembers, request, "members", within)
        ]

    async def get_room(self, room: str, *, within: float = DEFAULT_WITHIN) -> Room:
        """Return one room of the caller."""
        request = GetRoomRequest(room_id=room, min_positions=self.place.positions())
        found: Room = (await self._transport.call(self._transport.rooms.GetRoom, request, within=within)).room
        return found

    async def update_room(
        self,
        room: str,
        *,
        etag: str = "",
        display_name: str | None = None,
        entry: JoinPolicy.ValueType | None = None,
        retention: Retention | None = None,
        within: float = DEFAULT_WITHIN,
    ) -> Room:
        """Change settings of a room, those that are not None, and return it.

        With the `etag` of the room as it was read, a change that somebody made since is not overwritten.

        Raises:
            AbortedError: it was changed since (ETAG_MISMATCH): read it again, then decide.
            ChatError: refused otherwise, or no answer.
        """
        request = UpdateRoomRequest(room=Room(room_id=room, etag=etag), update_mask=FieldMask())
        if display_name is not None:
            request.room.display_name = display_name
            request.update_mask.paths.append("display_name")
        if entry is not None:
            request.room.join_policy = entry
            request.update_mask.paths.append("join_policy")
        if retention is not None:
            request.room.retention.CopyFrom(retention)
            request.update_mask.paths.append("retention")
        # With an etag a second try may meet the first one's work, and be told of a change by somebody.
        answer = await self._transport.call(
            self._transport.rooms.UpdateRoom, request, within=within, idempotent=not etag
        )
        self.place.saw(answer.position)
        changed: Room = answer.room
        return changed

    async def delete_room(self, room: str, *, etag: str = "", within: float = DEFAULT_WITHIN) -> Changed:
        """End a room for everyone, if it still has this etag; empty takes any. Again is safe."""
        request = DeleteRoomRequest(room_id=room, etag=etag)
        return await self._change(self._transport.rooms.DeleteRoom, request, within)

    async def open_direct_room(self, user: str, *, within: float = DEFAULT_WITHIN) -> tuple[Room, str]:
        """Return the room of the caller and one other user, made if needed, and a position."""
        request = OpenDirectRoomRequest(user_id=user)
        answer = await self._transport.call(self._transport.rooms.OpenDirectRoom, request, within=within)
        self.place.saw(answer.position)
        return answer.room, answer.position
