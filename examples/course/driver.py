"""Plays one client of the course's chat for chatsim: `python driver.py`, started by chatsim itself."""

from __future__ import annotations

import sys

import groupchat_pb2 as pb
import groupchat_pb2_grpc
import grpc

from harness.drivers.base import run
from harness.drivers.polling import PollingDriver, Received
from harness.drivers.request import Request, RequestError
from harness.drivers.tag import tag, untag


class CourseDriver(PollingDriver):
    """One client, whose number is that of the cast; the group is the scenario's one room."""

    name = "course chat 1"
    capabilities = ("poll", "order", "one-room")

    async def open(self, request: Request) -> None:
        """Say hello, which strangers may not."""
        self._numbers = {member["user"]: member["number"] for member in self.cast}
        self._users = {number: user for user, number in self._numbers.items()}
        self._channel = grpc.aio.insecure_channel(request.address())
        self._stub = groupchat_pb2_grpc.GroupChatStub(self._channel)
        hello = pb.HelloRequest(client_id=self._numbers[self.user], name=self.display_name)
        await self._call(self._stub.Hello, hello, request.within)

    async def close(self) -> None:
        """Hang up: the server is not told."""
        await self._channel.close()

    async def send(self, request: Request) -> None:
        """Send one message, its id in front of the text: the server has no such thing."""
        text = tag(request.text("message"), request.text("text"))
        call = pb.SendRequest(client_id=self._numbers[self.user], text=text)
        await self._call(self._stub.Send, call, request.within)

    async def read(self, within: float) -> list[Received]:
        """Fetch what is unread."""
        answer = await self._call(
            self._stub.GetUnread, pb.UnreadRequest(client_id=self._numbers[self.user]), within
        )
        room = self.rooms[0]["room"]
        return [Received(room, *untag(m.text), sender=self._users[m.sender_id]) for m in answer.messages]

    async def _call(self, method, message, within: float):
        try:
            return await method(message, timeout=within, wait_for_ready=True)
        except grpc.aio.AioRpcError as fault:
            raise RequestError(fault.code().name, "", fault.details() or "") from fault


if __name__ == "__main__":
    sys.exit(run(CourseDriver(), sys.argv[1:]))
