"""Real servers for the tests: each a process of its own, on a port of its own, with a log of its own."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any

import grpc
import pytest

from chatsys.errors import Refusal
from chatsys.errors.wire import DETAILS_KEY, from_status_bytes
from chatsys.v1 import (
    admin_pb2_grpc,
    chat_pb2,
    chat_pb2_grpc,
    room_pb2,
    room_pb2_grpc,
    server_pb2_grpc,
    types_pb2,
    user_pb2_grpc,
)

WITHIN = 10.0
"""Seconds that anything here may take before the test says what it waited for."""


class Served:
    """One running server."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any], data: Path) -> None:
        self.process = process
        self.ready = ready
        self.data = data
        self.address = f"127.0.0.1:{ready['port']}"

    def stop(self) -> int:
        """Asks it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WITHIN)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WITHIN)


def begin(command: list[str], data: Path, errors: IO[str] | None = None) -> Served:
    process = subprocess.Popen(
        [*command, "--port", "0", "--data", str(data), "--log-level", "warning"],
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={**os.environ, "CHATSIM_RUN": "run-of-tests"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the server ended with {process.wait(WITHIN)} before it was ready"
    return Served(process, json.loads(line), data)


SERVE = [sys.executable, "-m", "chatsys.server.main"]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts servers; they are gone after the test."""
    started: list[Served] = []

    def serve(data: Path | None = None, command: list[str] | None = None) -> Served:
        served = begin(command or SERVE, data or tmp_path / "data")
        started.append(served)
        return served

    yield serve
    for served in started:
        if served.process.poll() is None:
            served.kill()
        assert served.process.stdout is not None
        served.process.stdout.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of a module; each test uses rooms of its own."""
    server = begin(SERVE, tmp_path_factory.mktemp("data"))
    yield server
    assert server.stop() == 0
    assert server.process.stdout is not None
    server.process.stdout.close()


class Stub:
    """Calls of one user."""

    def __init__(self, channel: Any, user: str | None) -> None:
        self.user = user
        self._stubs = [
            chat_pb2_grpc.ChatServiceStub(channel),
            room_pb2_grpc.RoomServiceStub(channel),
            user_pb2_grpc.UserServiceStub(channel),
            server_pb2_grpc.ServerServiceStub(channel),
            admin_pb2_grpc.AdminServiceStub(channel),
        ]
        self.metadata: tuple[tuple[str, str | bytes], ...] = (("chatsys-user", user),) if user else ()

    def __getattr__(self, method: str) -> Callable[..., Any]:
        for stub in self._stubs:
            if hasattr(stub, method):
                found = getattr(stub, method)
                return lambda *request: found(*request, metadata=self.metadata, timeout=WITHIN)
        raise AttributeError(method)

    async def send(self, room: str, text: str, client_id: str = "") -> chat_pb2.SendMessageResponse:
        request = chat_pb2.SendMessageRequest(
            room_id=room, content=text.encode(), client_message_id=client_id
        )
        return await self.SendMessage(request)

    async def send_many(self, room: str, number: int) -> str:
        """Sends so many small messages in batches; the position that includes them."""
        stream = self.SendMessages()
        for start in range(0, number, 1000):
            requests = [
                chat_pb2.SendMessageRequest(room_id=room, content=b"x")
                for _ in range(min(1000, number - start))
            ]
            await stream.write(chat_pb2.SendMessagesRequest(requests=requests))
        await stream.done_writing()
        answers = [answer async for answer in stream]
        assert sum(len(answer.results) for answer in answers) == number
        return str(answers[-1].position)

    async def poll(self, **fields: Any) -> chat_pb2.PollResponse:
        return await self.Poll(chat_pb2.PollRequest(**fields))

    def subscribe(self, **fields: Any) -> Any:
        return self.Subscribe(chat_pb2.SubscribeRequest(**fields))

    async def ack(self, room: str, sequence: int, consumer: str = "") -> chat_pb2.AckMessagesResponse:
        acks = [chat_pb2.Ack(room_id=room, sequence=sequence)]
        return await self.AckMessages(chat_pb2.AckMessagesRequest(consumer_id=consumer, acks=acks))

    async def create(
        self, room: str, *members: str, whole: bool = False, entry_open: bool = False, **fields: Any
    ) -> room_pb2.CreateRoomResponse:
        wanted = types_pb2.Room(room_id=room)
        if whole:
            wanted.history_visibility = types_pb2.HISTORY_VISIBILITY_WHOLE_ROOM
        if entry_open:
            wanted.join_policy = types_pb2.JOIN_POLICY_OPEN
        fields.setdefault("exclude_caller", True)
        return await self.CreateRoom(room_pb2.CreateRoomRequest(room=wanted, member_ids=members, **fields))

    async def kick(self, room: str, user: str) -> room_pb2.RemoveMemberResponse:
        return await self.RemoveMember(room_pb2.RemoveMemberRequest(room_id=room, user_id=user))

    async def add(self, room: str, user: str) -> room_pb2.AddMemberResponse:
        return await self.AddMember(room_pb2.AddMemberRequest(room_id=room, user_id=user))

    async def progress(self, token: str, *positions: str, consumer: str = "") -> None:
        await self.RequestProgress(
            chat_pb2.RequestProgressRequest(consumer_id=consumer, token=token, min_positions=positions)
        )


@pytest.fixture
def stubs() -> Callable[[str], Any]:
    """``async with stubs(address) as user: user("bob")`` answers the calls of Bob."""

    @asynccontextmanager
    async def connect(address: str) -> AsyncIterator[Callable[[str | None], Stub]]:
        async with grpc.aio.insecure_channel(address) as channel:
            yield lambda user: Stub(channel, user)

    return connect


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            assert isinstance(value, bytes)
            found = from_status_bytes(value)
            assert found is not None, "the status has no reason of the table"
            assert found.code.name == error.code().name
            return found
    raise AssertionError(f"no details beside {error.code()} {error.details()}")


@pytest.fixture
def refused() -> Any:
    """``with refused("NOT_A_MEMBER") as why:`` expects a call inside to end so."""

    @contextmanager
    def expect(reason: str) -> Iterator[list[Refusal]]:
        seen: list[Refusal] = []
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            yield seen
        seen.append(refusal_of(caught.value))
        assert seen[0].reason == reason, seen[0]

    return expect


_numbers = itertools.count(1)


@pytest.fixture
def room() -> str:
    """A room id nobody uses yet."""
    return f"room-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def play() -> Callable[..., Any]:
    """Runs one coroutine; nothing in a test may take longer than ``WITHIN``."""

    def run(work: Any) -> Any:
        async def limited() -> Any:
            async with asyncio.timeout(3 * WITHIN):
                return await work

        return asyncio.run(limited())

    return run


@pytest.fixture
def world(served: Served, stubs: Callable[[str], Any], play: Callable[..., Any]) -> Callable[..., None]:
    """Runs a test body with ``as_user``: user id -> calls of that user."""

    def run(body: Callable[..., Any]) -> None:
        async def connected() -> None:
            async with stubs(served.address) as as_user:
                await body(as_user)

        play(connected())

    return run


def texts(deltas: Any) -> list[str]:
    return [message.content.decode() for delta in deltas for message in delta.messages]


@pytest.fixture(name="texts")
def _texts() -> Callable[[Any], list[str]]:
    """The texts in deltas, in order."""
    return texts
