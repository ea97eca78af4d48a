"""What the router does with calls that end in ways no caller could arrange on purpose."""

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from chatsys.errors import Reason
from chatsys.server.router import Router
from chatsys.v1 import chat_pb2


class Gone:
    """The context of a call that nothing can be written to any more."""

    def invocation_metadata(self):
        return ()

    async def send_initial_metadata(self, metadata):
        raise grpc.aio.InternalError("send_initial_metadata")

    async def write(self, message):
        raise grpc.aio.InternalError("write")

    async def abort(self, code, details, trailing_metadata):
        raise grpc.aio.InternalError("abort")


class Service:
    async def subscribe(self, request, call):
        await call.write(b"")

    async def list_messages(self, request, call):
        return chat_pb2.ListMessagesResponse()


async def admit(call, known):
    """Anybody."""


@pytest.mark.parametrize("method", ["Subscribe", "ListMessages"])
@pytest.mark.parametrize("greeting", [(), (("chatsys-instance", "i"),)])
def test_a_caller_who_is_gone_is_no_fault_of_ours(method, greeting, caplog):
    ends = []
    router = Router(greeting, admit, lambda _: contextlib.nullcontext(), lambda: None)
    router.watcher = ends.append
    router.add(chat_pb2.DESCRIPTOR.services_by_name["ChatService"], Service())
    handler = router.service(SimpleNamespace(method=f"/chatsys.v1.ChatService/{method}"))
    behaviour: Any = handler.unary_stream or handler.unary_unary

    async def play():
        try:
            await behaviour(b"", Gone())
        except asyncio.CancelledError:
            return True
        return False

    gone = asyncio.run(play())
    assert not caplog.records
    if not gone:
        assert (method, greeting) == ("ListMessages", ()), "only this one writes nothing by itself"
    else:
        assert [end.refusal.reason for end in ends] == [Reason.CALL_CANCELLED]
