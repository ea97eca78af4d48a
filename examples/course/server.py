"""The chat server of a course assignment: synchronous gRPC, one group, everything in memory.

python server.py PORT ID,ID,...
"""

from __future__ import annotations

import sys
import threading
from concurrent import futures

import groupchat_pb2
import groupchat_pb2_grpc
import grpc


class GroupChat(groupchat_pb2_grpc.GroupChatServicer):
    """One list of unread messages for each client of the group."""

    def __init__(self, group: list[int]) -> None:
        self._unread: dict[int, list[groupchat_pb2.Unread]] = {number: [] for number in group}
        self._names: dict[int, str] = {}
        self._lock = threading.Lock()

    def Hello(self, request, context):  # noqa: N802 - as the .proto names it
        """Learn a client's name."""
        self._check(request.client_id, context)
        self._names[request.client_id] = request.name
        return groupchat_pb2.HelloReply()

    def Send(self, request, context):  # noqa: N802 - as the .proto names it
        """Add a message to the lists of all others."""
        self._check(request.client_id, context)
        name = self._names.get(request.client_id, "")
        message = groupchat_pb2.Unread(sender_id=request.client_id, sender_name=name, text=request.text)
        with self._lock:
            for number, unread in self._unread.items():
                if number != request.client_id:
                    unread.append(message)
        return groupchat_pb2.SendReply()

    def GetUnread(self, request, context):  # noqa: N802 - as the .proto names it
        """Hand out a client's list, and begin a new one."""
        self._check(request.client_id, context)
        with self._lock:
            unread, self._unread[request.client_id] = self._unread[request.client_id], []
        return groupchat_pb2.UnreadReply(messages=unread)

    def _check(self, number: int, context: grpc.ServicerContext) -> None:
        if number not in self._unread:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, f"client {number} is not in the group")


def main() -> None:
    """Serve until killed."""
    port, group = sys.argv[1], [int(number) for number in sys.argv[2].split(",")]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
    groupchat_pb2_grpc.add_GroupChatServicer_to_server(GroupChat(group), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
