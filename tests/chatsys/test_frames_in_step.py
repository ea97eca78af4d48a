"""Frames that many readers share: each gets what is stored for it and nothing else, whoever is in step with whom."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatsys.core.entry import Ack, Add, CreateRoom, Remove, Send, Trim, Update
from chatsys.core.model import Caller, Entry, History, Role
from chatsys.server.hub import Hub
from chatsys.server.polling import NOWHERE
from chatsys.server.reading import Consumer, Reading
from chatsys.server.services import House
from chatsys.server.settings import Limits
from chatsys.server.stream import Stream
from chatsys.store import SqliteStore
from chatsys.v1 import chat_pb2

ROOT = Caller("root", admin=True)
ROOMS = {"since": History.SINCE_JOIN, "whole": History.WHOLE_ROOM}
USERS = ("alice", "bob", "carl", "dora")
MESSAGE = 2


class Reader:
    """One stream, and all frames that were written to it, each compared with the log as it is when it is written."""

    def __init__(self, house, user, consumer, window, *, include_own=False):
        self.frames = []
        self.through = {}
        self.got = {}
        self._house = house
        self._consumer = Consumer(user, consumer, include_own)
        self._open = asyncio.Event()
        self._open.set()
        call: Any = SimpleNamespace(write=self._write)
        self._task = asyncio.create_task(Stream(house, call, self._consumer, None, NOWHERE, window).run([]))

    def stall(self):
        self._open.clear()

    def go_on(self):
        self._open.set()

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def acks(self):
        return tuple((room, got[-1]) for room, got in self.got.items() if got)

    async def _write(self, frame):
        answer = chat_pb2.SubscribeResponse.FromString(frame)
        self.frames.append(frame)
        reads = self._house.store.reads()
        for delta in answer.deltas:
            self._compare(reads, delta)
        await self._open.wait()

    def _compare(self, reads, delta):
        user, consumer, include_own = self._consumer
        place = reads.place(user, consumer, delta.room_id)
        after, through = delta.after_sequence, delta.through_sequence
        if delta.membership_ended:
            assert not delta.messages
            assert through == place.end_sequence
            return
        # Who joined again may start further on, but not beyond anything that is for it.
        begin = self.through.get(delta.room_id, after)
        assert after >= begin
        floor = place.join_sequence if place.history is History.SINCE_JOIN else 0
        expected = [
            row.body
            for row in reads.entries(place.number, max(begin, floor), 10_000)
            if row.sequence <= through and row.kind == MESSAGE and (include_own or row.actor_id != user)
        ]
        assert [message.SerializeToString() for message in delta.messages] == expected
        assert delta.head_sequence == place.head
        assert delta.lost_through_sequence in (0, place.first - 1)
        self.through[delta.room_id] = through
        got = self.got.setdefault(delta.room_id, [])
        got += [message.sequence for message in delta.messages]
        assert got == sorted(set(got)), "each once, in order"


@asynccontextmanager
async def opened(directory, window=4_096):
    store = SqliteStore.open(directory, "the test")
    hub = Hub(store.position, store.released)
    store.start(hub.publish)
    guard: Any = None  # it limits requests, and there are none
    house = House(store, hub, Reading(hub), Limits(), "i", guard)
    readers = []
    try:
        for name, history in ROOMS.items():
            members = tuple((user, Role.WRITER) for user in (*USERS, "eve"))
            await store.submit([CreateRoom(ROOT, 1, name, "", history, Entry.INVITE, members, True, "")])
        readers += [Reader(house, user, "phone", window) for user in USERS]
        readers.append(Reader(house, "alice", "desk", window, include_own=True))
        await settle()
        yield store, readers
    finally:
        for reader in readers:
            await reader.close()
        store.close()


async def settle():
    for _ in range(6):
        await asyncio.sleep(0)


def send(user, room, text):
    return Send(user, 1, room, text.encode(), "", "")


WHO = st.sampled_from(USERS)
WHERE = st.sampled_from([*ROOMS])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), WHO, WHERE, st.integers(1, 4)),
        st.tuples(st.just("send"), WHO, WHERE, st.just(1)),
        st.tuples(st.just("chat"), WHO, WHERE, st.integers(2, 4)),
        st.tuples(st.just("remove"), WHO, WHERE, st.just(0)),
        st.tuples(st.just("add"), WHO, WHERE, st.just(0)),
        st.tuples(st.just("keep"), WHO, WHERE, st.integers(1, 3)),
        st.tuples(st.just("ack"), WHO, WHERE, st.integers(0, len(USERS))),
        st.tuples(st.just("stall"), WHO, WHERE, st.integers(0, len(USERS))),
        st.tuples(st.just("go on"), WHO, WHERE, st.integers(0, len(USERS))),
    ),
    max_size=25,
)


def entries(number, what, user, room, value):
    match what:
        case "send":
            return [send(user, room, f"{number}.{n}") for n in range(value)]
        case "chat":
            first = USERS.index(user)
            return [send(USERS[(first + n) % len(USERS)], room, f"{number}.{n}") for n in range(value)]
        case "remove":
            return [Remove(ROOT, 1, room, user)]
        case "add":
            return [Add(ROOT, 1, room, user, Role.WRITER)]
    return [Update(ROOT, 1, room, "", retention=(0, value)), Trim(1, room, 100)]


@settings(max_examples=50)
@given(STEPS, st.sampled_from([2, 4_096]))
def test_whoever_stalls_leaves_or_comes_back_gets_what_is_for_it(tmp_path_factory, steps, window):
    async def acknowledge(store, reader):
        await store.submit([Ack(reader._consumer.user_id, reader._consumer.consumer_id, reader.acks())])

    async def work():
        async with opened(tmp_path_factory.mktemp("data"), window) as (store, readers):
            for number, (what, user, room, value) in enumerate(steps):
                match what:
                    case "stall":
                        readers[value].stall()
                    case "go on":
                        readers[value].go_on()
                    case "ack":
                        await acknowledge(store, readers[value])
                    case _:
                        await store.submit(entries(number, what, user, room, value))
                await settle()
            for reader in readers:
                reader.go_on()
            for room in ROOMS:
                await store.submit([Add(ROOT, 1, room, user, Role.WRITER) for user in USERS])
                await store.submit([send("eve", room, "for everybody")])
            async with asyncio.timeout(10):
                for reader in readers:
                    while any(reader.through.get(room) != head(store, room) for room in ROOMS):
                        assert not reader._task.done(), reader._task.exception()
                        await acknowledge(store, reader)

    asyncio.run(work())


def head(store, room):
    _, found = store.reads().room(room)
    return found.head


def test_readers_in_step_are_written_one_and_the_same_frame(tmp_path):
    async def work():
        async with opened(tmp_path) as (store, readers):
            alice, bob, carl, dora, desk = readers
            await store.submit([send("alice", "since", "hello"), send("alice", "whole", "hello")])
            await settle()
            assert bob.frames[-1] is carl.frames[-1] is dora.frames[-1]
            assert alice.frames[-1] is not bob.frames[-1], "it is her own"
            assert desk.got["since"] == bob.got["since"]
            carl.stall()
            await store.submit([send("alice", "since", "how are you?")])
            await settle()
            for text in ("well?", "hm"):
                await store.submit([send("alice", "since", text)])
                await settle()
            carl.go_on()
            await settle()
            assert bob.frames[-1] is dora.frames[-1]
            assert carl.frames[-1] != bob.frames[-1], "it holds more"
            assert carl.got == bob.got

    asyncio.run(work())


def test_what_two_of_them_said_at_once_is_told_each_without_their_own(tmp_path):
    async def work():
        async with opened(tmp_path) as (store, readers):
            await store.submit([send(user, "since", "from " + user[0]) for user in USERS])
            await settle()
            assert [reader.got["since"] for reader in readers] == [
                [3, 4, 5],
                [2, 4, 5],
                [2, 3, 5],
                [2, 3, 4],
                [2, 3, 4, 5],
            ]

    asyncio.run(work())


def test_who_has_passed_over_their_own_gets_another_frame_than_who_has_not(tmp_path):
    async def work():
        async with opened(tmp_path) as (store, readers):
            alice, bob, carl, *_ = readers
            carl.stall()
            await store.submit([send("eve", "since", "one")])
            await settle()
            await store.submit([send("alice", "since", "two")])  # she is told of it with the next frame
            await settle()
            publish = store._publish
            store._publish = lambda group: (carl.go_on(), publish(group))[1]  # so that both read in one turn
            await store.submit([send("eve", "since", "three")])
            await settle()
            assert alice.got["since"] == [2, 4]
            assert carl.got["since"] == bob.got["since"] == [2, 3, 4]

    asyncio.run(work())
