"""What a call leaves behind, and ends that no caller could arrange, by contexts that do as gRPC's do."""

import asyncio
import gc
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from chatsys.errors import Reason, Refusal
from chatsys.server.router import Router
from chatsys.server.sending import SendStream
from chatsys.server.settings import Limits
from chatsys.v1 import chat_pb2

CHAT = chat_pb2.DESCRIPTOR.services_by_name["ChatService"]
UNREADABLE = b"\xff" * 10


class Data(bytes):
    """What a caller sent; ``gone`` counts those that left memory."""

    gone = 0

    def __del__(self):
        Data.gone += 1


class AbortError(Exception):
    pass


class Context:
    """One call, as gRPC makes it: it keeps what it raised, and that keeps the frames it went through."""

    def invocation_metadata(self):
        return ()

    async def send_initial_metadata(self, metadata):
        pass

    async def abort(self, code, details="", trailing_metadata=()):
        self.status = code.name
        self.raised = AbortError()
        raise self.raised


class Received:
    """Reads like gRPC's: it and its generator hold on to each other."""

    def __init__(self, *messages):
        self._messages = list(messages)
        self._generator = None

    def __aiter__(self):
        self._generator = self._generate()
        return self._generator

    async def _generate(self):
        while self._messages:
            message = self._messages.pop(0)
            yield message


class Service:
    """Refuses in every way there is."""

    async def send_message(self, request, call):
        refuse(request)

    async def send_messages(self, requests, call):
        await SendStream(HOUSE, call).run(requests)


HOUSE: Any = SimpleNamespace(limits=Limits(max_batch_messages=1), hub=SimpleNamespace(leaving=set()))


def refuse(request):
    try:
        int(request.room_id)
    except ValueError as error:
        raise Refusal.not_a_member(request.room_id) from error


def gone_after(method, make, *, known=True):
    """How much of the data that `make` makes is gone when the call with it was aborted."""

    async def admit(call, needed):
        if not known:
            raise Refusal(Reason.TOKEN_MISSING, "who calls?")

    async def work():
        router = Router((("chatsys-instance", "i"),), admit, lambda call: nullcontext(), lambda: None)
        router.add(CHAT, Service())
        details: Any = SimpleNamespace(method=f"/chatsys.v1.ChatService/{method}")
        handler: Any = router.service(details)
        with pytest.raises(AbortError):
            await (handler.unary_unary or handler.stream_stream)(make(), Context())
        for _ in range(3):
            await asyncio.sleep(0)  # the loop lets go of its tasks
        return Data.gone

    gc.collect()
    Data.gone = 0
    gc.disable()
    try:
        return asyncio.run(work())
    finally:
        gc.enable()


def message(room="r", content=b"x"):
    return chat_pb2.SendMessageRequest(room_id=room, content=content)


@pytest.mark.parametrize(
    ("make", "known"),
    [
        (lambda: Data(message().SerializeToString()), True),
        (lambda: Data(message().SerializeToString()), False),
        (lambda: Data(UNREADABLE), True),
    ],
    ids=["refused", "unknown", "unreadable"],
)
def test_what_is_refused_leaves_memory_at_once_not_when_python_looks_for_cycles(make, known):
    assert gone_after("SendMessage", make, known=known) == 1


def batch(*messages):
    return Data(chat_pb2.SendMessagesRequest(requests=messages).SerializeToString())


@pytest.mark.parametrize(
    "make",
    [lambda: Received(batch(message(), message())), lambda: Received(Data(UNREADABLE))],
    ids=["refused", "unreadable"],
)
def test_so_does_what_is_refused_of_a_stream(make):
    assert gone_after("SendMessages", make) == 1


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


class Writes:
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
    router = Router(greeting, admit, lambda _: nullcontext(), lambda: None)
    router.watcher = ends.append
    router.add(CHAT, Writes())
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
