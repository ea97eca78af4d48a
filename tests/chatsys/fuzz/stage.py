"""The server that is fuzzed: a real process, a cast with rooms, and what can be seen of it from outside."""

import asyncio
import contextlib
import http.client
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from chatsys.auth import keys
from chatsys.auth.revocations import Revocations
from chatsys.auth.tokens import Claims, mint
from chatsys.client import Client
from chatsys.core.rooms import direct_room_id
from chatsys.store import schema
from chatsys.v1.types_pb2 import JoinPolicy
from tests.chatsys.conftest import SERVE, Served, begin
from tests.chatsys.fuzz.peer import Metadata
from tests.chatsys.fuzz.wire import Dictionary

SETTLE = 30.0
"""Seconds that a server may take to forget callers that are gone."""


class Guest(NamedTuple):
    """Somebody who calls."""

    name: str
    metadata: Metadata
    good: bool
    """Whether the server knows them."""
    admin: bool = False


class Secret(NamedTuple):
    """A room that outsiders must not learn of, and an id as long that nobody has used."""

    room: bytes
    nowhere: bytes


class State(NamedTuple):
    """What is stored, as far as a refused request could have changed it."""

    position: int
    cursors: tuple[int, int]
    memberships: tuple[int, int]
    rooms: tuple[int, int]


class Vitals(NamedTuple):
    """What must not grow with what was asked."""

    tasks: int
    readers: int
    files: int
    resident: int
    """Bytes."""


class Stage:
    """One server with its cast. Made by ``open_stage``.

    Attributes:
        guests: All who call; those who are let in, and those who are not.
        outsider: Let in, and a member of nothing.
        secrets: Rooms that the outsider must not learn of.
        dictionary: What is there.
    """

    def __init__(self, served: Served, *, tokens: bool) -> None:
        self.served = served
        self.tokens = tokens
        self._database = schema.open_reader(served.data / schema.FILE)
        self._version = -1
        self._state = self._read()
        direct = direct_room_id("alice", "bob").encode()
        # Neighbours in the alphabet: of several rooms that one is told of that comes first.
        self.secrets = (
            Secret(b"secret", b"secreu"),
            Secret(b"ended-1", b"ended-0"),
            Secret(direct, direct[:-1] + (b"0" if direct[-1:] != b"0" else b"1")),
        )
        if tokens:
            self.guests = _with_tokens(served.data)
            self.outsider = Guest("eve", _bearer(_token(served.data, "eve")), good=True)
        else:
            self.guests = _by_name()
            self.outsider = Guest("eve", (("chatsys-user", "eve"),), good=True, admin=True)
        epoch = served.ready["log_epoch"]
        users = ("alice", "bob", "carl", "doug", "nobody-knows")
        rooms = (
            "lobby",
            "lobby",
            "open-1",
            "secret",
            "ended-1",
            "no-such-room",
            self.secrets[2].room.decode(),
        )
        self.dictionary = Dictionary(
            {
                "room_id": (*rooms, "new-1", "new-2", "lobby-" * 10),
                "room_ids": rooms,
                "user_id": users,
                "member_ids": users,
                "admin_ids": users,
                "min_positions": (
                    *(f"{epoch}.{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8)),
                    f"{epoch}.zzzz",
                    f"{'0' * 16}.1",
                ),
                "token": ("t-1",),
                "consumer_id": ("", "phone", "laptop"),
                "client_message_id": ("", "m-1", "m-2"),
                "content": ("hello", "hello", "hi"),
                "request_id": ("", "r-1"),
                "page_token": ("", "", "1", "lobby", "alice"),
                "scopes": ("user", "admin"),
                "paths": ("display_name", "join_policy", "retention", "room_id", "no_such_path"),
                "token_id": ("made-up",),
                "etag": ("", "1-1"),
                "content_type": ("", "text/plain"),
            }
        )

    async def furnish(self) -> None:
        """Makes the rooms, with their members."""
        async with self._client("alice") as alice:
            await alice.create_room("lobby", members=["bob", "carl"])
            await alice.create_room("secret", members=["bob"])
            await alice.create_room("open-1", entry=JoinPolicy.JOIN_POLICY_OPEN)
            await alice.create_room("ended-1")
            await alice.create_room("witness")
            await alice.open_direct_room("bob")
            await alice.send("lobby", "hello")
            await alice.send("secret", "very private words")
            await alice.delete_room("ended-1")

    def _client(self, user: str) -> Client:
        if self.tokens:
            return Client(self.served.address, token=_token(self.served.data, user))
        return Client(self.served.address, user=user)

    async def serves_others(self) -> None:
        """A client that asks for nothing special is served."""
        async with self._client("alice") as alice:
            text = secrets.token_hex(8)
            await alice.send("witness", text, within=SETTLE)
            messages, _ = await alice.list_messages("witness", before=2**62, limit=1, within=SETTLE)
            assert messages[-1].content.decode() == text

    def state(self) -> State:
        """What is stored now; read only if something was written since."""
        version = self._database.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._state = self._read()
        return self._state

    def _read(self) -> State:
        one = self._database.execute
        pair = lambda sql: tuple(one(sql).fetchone())  # noqa: E731  # four of a kind
        return State(
            one("SELECT value FROM meta WHERE key = 'position'").fetchone()[0],
            pair("SELECT count(*), coalesce(sum(acked), 0) FROM cursor"),
            pair(
                "SELECT count(*), coalesce(sum(role + 10 * join_sequence + end_sequence), 0) FROM membership"
            ),
            pair("SELECT count(*), coalesce(sum(head), 0) FROM room"),
        )

    async def vitals(self) -> Vitals:
        """What the server says of itself."""
        found = {name: int(value) for name, value in _samples(self.served.ready["metrics_port"])}
        return Vitals(
            found["chatsys_tasks"],
            found["chatsys_readers"],
            found["process_open_fds"],
            found["process_resident_memory_bytes"],
        )

    async def settled(self, before: Vitals) -> Vitals:
        """Waits until nobody waits any more, and says what is left."""
        end = time.monotonic() + SETTLE
        while True:
            now = await self.vitals()
            over = [
                name for name in ("tasks", "readers", "files") if getattr(now, name) > getattr(before, name)
            ]
            if not over:
                return now
            assert time.monotonic() < end, f"{over} did not come back: {now}, and before {before}"
            await asyncio.sleep(0.02)  # the page of metrics has no event to wait for

    def close(self) -> None:
        self._database.close()


@contextlib.contextmanager
def open_stage(data: Path, *, tokens: bool) -> Iterator[Stage]:
    """A furnished server; it ends well, or the fuzzing failed."""
    options = ["--auth", "tokens", "--registration", "open"] if tokens else []
    log = data.with_suffix(".log")
    with log.open("w") as errors:
        served = begin([*SERVE, *options, "--metrics-port", "0"], data, errors)
    try:
        with contextlib.closing(Stage(served, tokens=tokens)) as stage:
            asyncio.run(stage.furnish())
            yield stage
        assert served.stop() == 0, "the server did not end well"
        _look_through(log.read_text(errors="replace"))
    finally:
        if served.process.poll() is None:
            served.kill()
        assert served.process.stdout is not None
        served.process.stdout.close()


def _look_through(log: str) -> None:
    """Nothing went wrong that nobody was answered, and nothing is told that is private."""
    for word in ("Traceback", " ERROR ", " CRITICAL ", "very private words", "Bearer ", "eyJ"):
        at = log.find(word)
        assert at < 0, f"the server's log has {word!r}: ...{log[max(0, at - 300) : at + 1_500]}"


def _samples(port: int) -> Iterator[tuple[str, float]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SETTLE)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.value


def _by_name() -> list[Guest]:
    names = ("alice", "bob", "carl", "doug")
    bad: list[Metadata] = [
        (),
        (("chatsys-user", "not a user"),),
        (("chatsys-user", ""),),
        (("chatsys-user", "x" * 129),),
        (("chatsys-user", "x" * 4_000),),
    ]
    good = [Guest(name, (("chatsys-user", name),), good=True, admin=True) for name in names]
    return [*good * 4, *(Guest(f"bad-{n}", each, good=False) for n, each in enumerate(bad))]


def _with_tokens(data: Path) -> list[Guest]:
    good = [Guest(name, _bearer(_token(data, name)), good=True) for name in ("alice", "bob", "carl", "doug")]
    root = Guest("root", _bearer(_token(data, "root", admin=True)), good=True, admin=True)
    token = _token(data, "alice")
    revoked = _token(data, "alice", token_id="gone")
    Revocations(data).revoke_token("gone", time.time() + 3_600)
    head, body, signature = token.split(".")
    bad: list[Metadata] = [
        (),
        (("authorization", ""),),
        (("authorization", "Bearer"),),
        (("authorization", f"Basic {token}"),),
        (("authorization", token),),
        *map(
            _bearer,
            (
                "garbage",
                "a.b.c",
                "." * 3_000,
                f"{head}.{body}.",
                f"{head}.{body}.{signature[::-1]}",
                f"{head}.{body[:-4]}.{signature}",
                f"eyJhbGciOiJub25lIn0.{body}.",
                _token(data, "alice", lasts=-1.0),
                _token(data, "alice", audience="elsewhere"),
                _token(data, "no user id"),
                revoked,
            ),
        ),
        # A name is no proof, whatever else is shown.
        (("chatsys-user", "alice"),),
    ]
    return [*good * 10, root, root, *(Guest(f"bad-{n}", each, good=False) for n, each in enumerate(bad))]


def _bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


def _token(
    data: Path,
    user: str,
    *,
    admin: bool = False,
    lasts: float = 360_000.0,
    audience: str = "chatsys",
    token_id: str = "",
) -> str:
    now = time.time()
    claims = Claims(user, admin, token_id or secrets.token_hex(8), "", now - 1, now + lasts)
    return mint(keys.load(data / "keys").signer(), claims, audience)
