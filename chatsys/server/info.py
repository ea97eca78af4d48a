"""ServerService: who and what this process is, and what it promises."""

from collections.abc import Sequence
from typing import Any

import chatsys
from chatsys.server.call import Call
from chatsys.server.services import House, timestamp
from chatsys.v1 import server_pb2


class ServerService:
    """See chatsys.v1.ServerService.

    Args:
        house: What it works with.
        start_time_us: When the process started.
        unimplemented: Methods that this build does not have; complete when the first call comes.
        registration_open: Whether anybody may register.
        auth_required: Whether callers show tokens.
    """

    def __init__(
        self,
        house: House,
        start_time_us: int,
        unimplemented: Sequence[str],
        *,
        registration_open: bool,
        auth_required: bool,
    ) -> None:
        self._house = house
        self._registration_open = registration_open
        self._auth_required = auth_required
        self._start_time_us = start_time_us
        self._unimplemented = unimplemented

    async def get_server_info(self, request: server_pb2.GetServerInfoRequest, call: Call) -> Any:  # noqa: ARG002  # the shape of a method
        """Tells everybody."""
        limits = self._house.limits
        answer = server_pb2.GetServerInfoResponse(
            instance_id=self._house.instance_id,
            version=chatsys.__version__,
            store="sqlite",
            durability=server_pb2.DURABILITY_POWER_LOSS,
            log_epoch=self._house.store.epoch,
            position=self._house.now() if call.user_id else "",
            start_time=timestamp(self._start_time_us),
            registration_open=self._registration_open,
            auth_required=self._auth_required,
            limits=server_pb2.ServerLimits(
                max_content_bytes=limits.max_content_bytes,
                max_batch_messages=limits.max_batch_messages,
                max_request_bytes=limits.max_request_bytes,
                default_unacked_messages=limits.default_unacked_messages,
                max_unacked_messages=limits.max_unacked_messages,
                max_poll_messages=limits.max_poll_messages,
                max_page_size=limits.max_page_size,
                send_rate=limits.send_rate,
                send_burst=limits.send_burst,
                max_subscriptions=limits.max_subscriptions,
                max_rooms_per_user=limits.max_rooms_per_user,
                max_members_per_room=limits.max_members_per_room,
                max_metadata_bytes=limits.max_metadata_bytes,
            ),
            unimplemented_methods=sorted(self._unimplemented),
        )
        answer.limits.max_poll_wait.FromMilliseconds(int(limits.max_poll_wait * 1_000))
        if limits.room_max_entries:
            answer.limits.room_retention.max_entries = limits.room_max_entries
        if limits.room_max_age:
            answer.limits.room_retention.max_age.seconds = int(limits.room_max_age)
        return answer
