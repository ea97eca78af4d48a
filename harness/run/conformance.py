"""Does a driver keep the protocol? Each check is one rule of docs/driver-protocol.md, tried on the driver.

None of them needs a server. A check returns nothing when the rule holds, or raises `UnheardError` with what it
saw instead; one that does not apply to this driver raises `NotApplicableError`.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from harness.drivers.base import OPS
from harness.keeper.handle import Keeper
from harness.run import protocol_rules as rules
from harness.run.driver import PROTOCOL
from harness.run.lines import MAX_LINE
from harness.run.protocol_rules import quoted
from harness.run.talk import Line, Talk, UnheardError, shown

#: Capability -> what it says; the table of the protocol's page.
CAPABILITIES: Final = {
    "stream": "pushes messages to a connected client",
    "poll": "can be asked for messages",
    "batch": "takes messages by one open stream",
    "ack": "remembers how far each reader has acknowledged",
    "position": "says how far its answers are complete",
    "order": "shows one room's messages to every member in one order",
    "rooms": "has any number of rooms",
    "one-room": "has exactly one room",
    "auth": "can tell users apart by credentials",
    "keys": "lets the keys of credentials be changed while it runs",
    "kick": "lets an admin add and remove others",
    "readers": "has members who may not send",
    "history": "lets the harness read a room whole",
    "restart": "keeps messages over a restart",
    "grpc": "speaks gRPC without TLS",
}
#: Op -> the capability without which it is UNIMPLEMENTED. `rotate_keys` is younger than some drivers, which do not
#: know it and never get it.
GUARDED: Final = {op: needed for op, needed in OPS.items() if needed not in (None, "keys")}
HELLO_S: Final = 30.0
ANSWER_S: Final = 5.0
PATIENCE_S: Final = 1.0
"""For an answer, once another of the same rule did not come."""
LEAVE_S: Final = 2.0


class Refusal(NamedTuple):
    """How something must be refused, and where that is written."""

    code: str
    reason: str
    """Told to people; the page leaves other reasons open."""
    rule: str


NOT_SET_UP: Final = Refusal("FAILED_PRECONDITION", "NOT_SET_UP", rules.SETUP_FIRST)
SET_UP_TWICE: Final = Refusal("FAILED_PRECONDITION", "SET_UP_TWICE", rules.SETUP_FIRST)
OFFLINE: Final = Refusal("FAILED_PRECONDITION", "NOT_CONNECTED", rules.NOT_CONNECTED)
INCAPABLE: Final = Refusal("UNIMPLEMENTED", "NO_CAPABILITY", rules.NO_CAPABILITY)
BAD_LINE: Final = Refusal("INVALID_ARGUMENT", "BAD_REQUEST", rules.BAD_REQUEST)


class NotApplicableError(Exception):
    """The rule says nothing about this driver; the text says why."""


class Result(NamedTuple):
    """How one rule came out."""

    rule: str
    holds: bool | None
    """None: it does not apply."""
    detail: str = ""
    """What was seen instead, each fault a line."""
    exchanged: tuple[str, ...] = ()
    """The last lines from and to the driver concerned."""


class Bench:
    """Where drivers are tried, one process for each rule.

    Args:
        keeper: attached; starts the processes.
        command: the driver's.
        log: file for what they write to standard error.
        row: mark of their processes.
    """

    def __init__(self, keeper: Keeper, command: Sequence[str], log: Path, row: str) -> None:
        self._keeper = keeper
        self._command = command
        self._log = log
        self._row = row
        self.capabilities: frozenset[str] = frozenset()
        self.title = ""

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[Talk]:
        """A fresh process that has said hello."""
        talk = await Talk.begin(self._keeper, self._command, self._log, self._row)
        try:
            await talk.until(lambda _: True, "it said nothing", HELLO_S)
            yield talk
            if talk.fault:
                raise UnheardError(talk.fault)
        finally:
            await talk.end()

    @asynccontextmanager
    async def player(self) -> AsyncIterator[Talk]:
        """A fresh process that has been set up."""
        async with self.driver() as talk:
            answer = await talk.ask("setup", **self.part())
            if "ok" not in answer:
                raise UnheardError(f"`setup` was refused: {shown(answer)}")
            yield talk

    def part(self) -> dict[str, Any]:
        """Return the fields of a `setup`: alice, who talks with bob."""
        cast = [
            {"client": name, "user": f"{name}-check", "display_name": name, "number": number}
            for number, name in enumerate(("alice", "bob"), start=1)
        ]
        room = {
            "room": "lobby-check", "members": ["alice-check", "bob-check"], "admins": [],
            "history": "since_join", "entry": "invite",
        }  # fmt: skip
        receive = "stream" if "stream" in self.capabilities else "poll"
        return {
            "client": "alice", "user": "alice-check", "display_name": "alice", "consumer": "", "receive": receive,
            "acks": "auto", "include_own": False, "role": "client", "run": "check", "cast": cast, "rooms": [room],
        }  # fmt: skip


async def check(bench: Bench, tell: Callable[[Result], None]) -> bool:
    """Try every rule; return whether all hold.

    Args:
        bench: where.
        tell: hears of each rule as it came out.

    Raises:
        CommandError: the driver command cannot be executed.
    """
    every = True
    for rule, trial in RULES.items():
        try:
            await trial(bench)
            result = Result(rule, holds=True)
        except UnheardError as fault:
            result = Result(rule, holds=False, detail=str(fault))
        except NotApplicableError as why:
            result = Result(rule, holds=None, detail=str(why))
        tell(result)
        every = every and result.holds is not False
        if rule == _FIRST and not result.holds:
            break  # without a hello there is nobody to talk to
    return every


async def _hello(bench: Bench) -> None:
    async with bench.driver() as talk:
        hello = talk.lines[0]
        if hello.get("event") != "hello":
            raise UnheardError(f"the first line is not `hello`: {shown(hello)}")
        if hello.get("protocol") != PROTOCOL:
            raise UnheardError(f"`protocol` must be {PROTOCOL}: {shown(hello)}")
        words = hello.get("capabilities")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise UnheardError(f"`capabilities` must be a list of words: {shown(hello)}")
        if not isinstance(hello.get("driver"), str):
            raise UnheardError(f"`driver` must be its name: {shown(hello)}")
        bench.capabilities, bench.title = frozenset(words), str(hello["driver"])


async def _known_words(bench: Bench) -> None:
    unknown = sorted(bench.capabilities - CAPABILITIES.keys())
    if unknown:
        raise UnheardError(
            f"no capability is called {', '.join(map(repr, unknown))}; there are {', '.join(CAPABILITIES)}"
        )
    if not bench.capabilities & {"stream", "poll"}:
        raise UnheardError("a driver that can neither `stream` nor `poll` receives nothing")
    if {"rooms", "one-room"} <= bench.capabilities:
        raise UnheardError("`rooms` and `one-room` exclude each other")


_SEND: Final[Mapping[str, Any]] = {"room": "lobby-check", "message": "m1", "text": "hello", "within_ms": 500}


async def _setup_first(bench: Bench) -> None:
    async with bench.driver() as talk:
        _refused(await talk.ask("send", **_SEND), "`send` before `setup`", NOT_SET_UP)


async def _setup_once(bench: Bench) -> None:
    async with bench.player() as talk:
        _refused(await talk.ask("setup", **bench.part()), "a second `setup`", SET_UP_TWICE)


async def _bad_lines(bench: Bench) -> None:
    bad: dict[bytes, int | None] = {
        b"nonsense": None,
        b"[1]": None,
        b'{"op": "send"}': None,
        b'{"id": 901}': 901,
        b"\xff\xfe": None,
    }
    faults: list[str] = []
    for (
        line,
        number,
    ) in bad.items():  # each has a process: one that ends of the first can still be told the others
        text = f"the line {line.decode(errors='backslashreplace')}"
        try:
            async with bench.player() as talk:
                since = len(talk.lines)
                talk.write(line + b"\n")
                answer = await talk.answer(number, text, PATIENCE_S if faults else ANSWER_S, since=since)
                _refused(answer, text, BAD_LINE)
                _refused(await talk.ask("send", **_SEND), f"`send` after {text}", OFFLINE)
        except UnheardError as fault:
            faults.append(str(fault))
    _all_of(faults)


async def _unknown_op(bench: Bench) -> None:
    async with bench.player() as talk:
        _refused(await talk.ask("dance"), "the op `dance`", BAD_LINE)


async def _long_line(bench: Bench) -> None:
    async with bench.player() as talk:
        since = len(talk.lines)
        talk.write(b'{"id": 902, "op": "' + b"x" * (MAX_LINE + 1) + b'"}\n')
        answer = await talk.until(
            lambda line: "event" not in line and line.get("id") in (None, 902),
            "no answer to a line of over 1 MiB",
            ANSWER_S,
            since=since,
        )
        _refused(answer, "a line of over 1 MiB", BAD_LINE)
        _refused(await talk.ask("send", **_SEND), "`send` after it", OFFLINE)


async def _offline(bench: Bench) -> None:
    async with bench.player() as talk:
        ops: dict[str, Mapping[str, Any]] = {
            "send": _SEND,
            "fence": {"positions": [], "markers": {}, "within_ms": 500},
            "disconnect": {},
        }
        await _each_refused(
            talk, {op: (fields, "while not connected", OFFLINE) for op, fields in ops.items()}
        )


async def _capabilities(bench: Bench) -> None:
    lacking = {op: word for op, word in GUARDED.items() if word not in bench.capabilities}
    if not lacking:
        raise NotApplicableError("it has every capability")
    async with bench.player() as talk:
        await _each_refused(
            talk, {op: ({}, f"without the capability `{word}`", INCAPABLE) for op, word in lacking.items()}
        )


async def _all_answered(bench: Bench) -> None:
    async with bench.player() as talk:
        numbers = [talk.request("send", **_SEND) for _ in range(100)]
        for number in numbers:
            await talk.answer(number, f"request {number} of 100 at once")
        said = [line["id"] for line in talk.lines if "event" not in line]
        twice = sorted({str(number) for number in said if said.count(number) > 1})
        if twice:
            raise UnheardError(f"request {twice[0]} was answered twice")


async def _nobody_there(bench: Bench) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port, and nobody answers
        taken.bind(("127.0.0.1", 0))
        server = {"host": "127.0.0.1", "port": taken.getsockname()[1]}
        async with bench.player() as talk:
            answer = await talk.ask("connect", 3.0, server=server, within_ms=1000)
            if "ok" in answer:
                raise UnheardError(f"`connect` to a port where nobody listens ended ok: {shown(answer)}")
            _refused(await talk.ask("send", **_SEND), "`send` after it", OFFLINE)


async def _bye(bench: Bench) -> None:
    async with bench.player() as talk:
        await talk.ask("bye")
        await _gone(talk, "after `bye`")


async def _end_of_input(bench: Bench) -> None:
    for rest in (b"", b'{"id": 9, "op": "disc'):
        async with bench.player() as talk:
            talk.write(rest)
            talk.hang_up()
            await _gone(
                talk, "after the end of its standard input" + (" in the middle of a line" if rest else "")
            )


async def _gone(talk: Talk, when: str) -> None:
    ended = await talk.child.wait(LEAVE_S)
    if ended is None:
        raise UnheardError(f"it still runs {LEAVE_S:g} s {when}")
    if ended.code != 0:
        raise UnheardError(f"it ended with {ended} {when}, not with 0")


async def _each_refused(talk: Talk, ops: Mapping[str, tuple[Mapping[str, Any], str, Refusal]]) -> None:
    faults: list[str] = []
    for op, (fields, when, refusal) in ops.items():
        try:
            answer = await talk.ask(op, PATIENCE_S if faults else ANSWER_S, **fields)
            _refused(answer, f"`{op}` {when}", refusal)
        except UnheardError as fault:
            faults.append(str(fault))
    _all_of(faults)


def _all_of(faults: Sequence[str]) -> None:
    if faults:
        raise UnheardError("\n".join(dict.fromkeys(faults)))


def _refused(answer: Line, what: str, refusal: Refusal) -> None:
    error = answer.get("error")
    if error is None or error["code"] != refusal.code or not error["definite"]:
        raise UnheardError(
            f"{what} must be refused by {refusal.code}, reason {refusal.reason}, definite, and got "
            f"{shown(answer)}. {quoted(refusal.rule)}"
        )


Trial = Callable[[Bench], Awaitable[None]]
_FIRST: Final = "the first line is hello"
RULES: Final[dict[str, Trial]] = {
    _FIRST: _hello,
    "its capabilities are those of the protocol": _known_words,
    "nothing is done before setup": _setup_first,
    "setup is done once": _setup_once,
    "a line that is no request is answered": _bad_lines,
    "an op that does not exist is answered": _unknown_op,
    "a line of over 1 MiB is answered": _long_line,
    "what needs a connection is refused without one": _offline,
    "what needs a capability is refused without it": _capabilities,
    "a hundred requests at once are answered once each": _all_answered,
    "connecting to nobody ends in time": _nobody_there,
    "bye ends it": _bye,
    "the end of standard input ends it": _end_of_input,
}
"""In the order in which they are tried."""
