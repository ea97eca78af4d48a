"""One call of a fuzzed server, and everything that must be true of its end. The heart of the fuzzing.

* It ends OK, or with a reason of the table and its status; never INTERNAL or UNKNOWN.
* Who is not let in hears that, and nothing else. Bytes that are no message, and fields that the contract forbids,
  are never taken.
* What was refused has stored nothing.
* An outsider hears the same of a room that is hidden from it and of one that never was.
"""

from typing import Any, NamedTuple

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from chatsys.errors import Reason
from chatsys.v1 import admin_pb2, chat_pb2, room_pb2, server_pb2, user_pb2
from tests.chatsys.fuzz import rules
from tests.chatsys.fuzz.peer import WITHIN, Answer, Metadata, Peer
from tests.chatsys.fuzz.stage import Guest, Stage
from tests.chatsys.fuzz.wire import Dictionary, replaced, request

METHODS: dict[str, MethodDescriptor] = {
    method.name: method
    for module in (admin_pb2, chat_pb2, room_pb2, server_pb2, user_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""Of all services: no two have one of the same name."""
SHORT = 0.05
"""Seconds for a call that may wait for what never comes."""

_ANONYMOUS = ("GetServerInfo", "RegisterUser")
_TOLD = 400
_TOO_LARGE = 4 * 1024 * 1024
_KEEPS = ("CreateRoom", "OpenDirectRoom", "RegisterUser", "CreateToken", "RevokeTokens", "DrainServer")
# What an outsider may do without being in a room, or may not be made to do twice.
_UNAUTHENTICATED = {each for each in Reason if each.code.name == "UNAUTHENTICATED"}
_MALFORMED = {Reason.FIELD_INVALID, Reason.CONTENT_TOO_LARGE}

_EXTRA: tuple[Metadata, ...] = (
    *((),) * 12,
    (("chatsys-display-name-bin", b"\xff\xfe not UTF-8"),),
    (("chatsys-display-name-bin", b"x" * 4_000),),
    (("chatsys-request", "mine"),),
    (("chatsys-request", "no id at all: {} %s " + "x" * 900),),
    (("traceparent", "00-not-a-trace-01"),),
    (("chatsys-user", "alice"), ("chatsys-user", "bob")),
    (("authorization", "Bearer garbage"),),
    (("x-strange", "y" * 6_000), ("x-bytes-bin", bytes(range(256)))),
    (("grpc-previous-rpc-attempts", "-1"), ("te", "trailers")),
    (("grpc-accept-encoding", "identity,deflate,nonsense"),),
)


class Sent(bytes):
    """A request on the wire, told of in short: some are as long as a server may refuse to read."""

    __slots__ = ()

    def __repr__(self) -> str:
        if len(self) <= _TOLD:
            return super().__repr__()
        return f"<{len(self):,} bytes that begin with {bytes(self[:_TOLD])!r}>"


class Case(NamedTuple):
    """What is sent."""

    name: str
    """Of the method."""
    guest: Guest
    extra: Metadata
    requests: tuple[bytes, ...]

    @property
    def wire(self) -> tuple[bytes, ...]:
        """The requests as gRPC takes them: it wants bytes, and nothing that is derived from it."""
        return tuple(map(bytes, self.requests))

    @property
    def method(self) -> MethodDescriptor:
        return METHODS[self.name]


def cases(stage: Stage) -> st.SearchStrategy[Case]:
    """Calls of every method by every guest."""
    return st.one_of([_cases(stage, method) for method in METHODS.values()])


def _cases(stage: Stage, method: MethodDescriptor) -> st.SearchStrategy[Case]:
    guests = stage.guests
    if method.name in ("DrainServer", "RevokeTokens"):
        guests = [guest for guest in guests if not guest.admin]  # the others' calls would end the fuzzing
    dictionary = stage.dictionary
    if method.name == "DeleteRoom":  # once the rooms are gone, there is little left to do
        dictionary = Dictionary({**dictionary.words, "room_id": ("new-1", "new-2", "ended-1")})
    one = request(method.input_type, dictionary).map(Sent)
    many = st.lists(one, max_size=3).map(tuple) if method.client_streaming else st.tuples(one)
    return st.builds(Case, st.just(method.name), st.sampled_from(guests), st.sampled_from(_EXTRA), many)


async def play(case: Case, stage: Stage, peer: Peer) -> None:
    """Sends it, and judges its end.

    Raises:
        AssertionError: The server did what it must not.
    """
    messages = [_parsed(case.method, each) for each in case.requests]
    metadata = _metadata(case)
    waits = any(message is not None and _may_wait(message) for message in messages)
    before = stage.state()
    answer = await peer.call(case.method, case.wire, metadata, SHORT if waits else WITHIN)
    ended = stage.served.process.poll()
    assert ended is None, f"the server has ended with {ended}"
    _is_sound(case, answer, waits=waits)
    _is_right(case, answer, messages)
    if answer.details and not _keeps_something(
        case, answer
    ):  # without details it is our own clock that ended it
        assert stage.state() == before, f"refused ({answer.code} {answer.message!r}), and stored something"
    if stage.tokens and not waits and case.name not in _KEEPS:
        await _tells_nothing(case, stage, peer)


def _metadata(case: Case) -> Metadata:
    names = {key for key, _ in case.guest.metadata}
    if not case.guest.good:
        names.add("chatsys-user")  # or they would be let in
    return (*case.guest.metadata, *(pair for pair in case.extra if pair[0] not in names))


def _parsed(method: MethodDescriptor, data: bytes) -> Message | None:
    try:
        message: Message = GetMessageClass(method.input_type).FromString(data)
    except DecodeError:
        return None
    return message


def _may_wait(message: Any) -> bool:
    wait = getattr(message, "wait", None)
    if wait is not None and wait.ToNanoseconds() > 0:
        return True
    return any(len(each.partition(".")[2]) > 3 for each in getattr(message, "min_positions", ()))


def _is_sound(case: Case, answer: Answer, *, waits: bool) -> None:
    """A status of the table, with a reason of it."""
    if answer.code == "OK":
        return
    if answer.code == "DEADLINE_EXCEEDED" and waits:
        return
    if answer.code == "RESOURCE_EXHAUSTED" and not answer.details:
        assert any(len(each) > _TOO_LARGE for each in case.requests), answer
        return
    refusal = answer.refusal
    assert refusal is not None, f"{answer.code} {answer.message!r} without a reason of the table"
    assert refusal.code.name == answer.code, f"{refusal.reason} came as {answer.code}"
    assert refusal.reason not in (Reason.BUG, Reason.NOT_IMPLEMENTED), answer
    assert refusal.message == answer.message


def _is_right(case: Case, answer: Answer, messages: list[Message | None]) -> None:
    if answer.code == "DEADLINE_EXCEEDED" and not answer.details:
        return  # our own clock ended it
    reason = None if answer.refusal is None else answer.refusal.reason
    anonymous = case.name in _ANONYMOUS
    if not case.guest.good:
        shown = any(key == "authorization" for key, _ in _metadata(case))
        if anonymous and not shown:
            return
        if not anonymous:
            assert reason in _UNAUTHENTICATED, f"{case.guest.metadata} was let in: {answer}"
        return
    assert reason not in _UNAUTHENTICATED, f"{case.guest.name} was shown out: {answer}"
    if any(message is None for message in messages):
        assert reason is not None, f"bytes that are no message were taken: {answer}"
        if messages[0] is None:
            assert reason is Reason.FIELD_INVALID, answer
        return
    for message in messages:
        assert message is not None
        faults = rules.faults(message)
        if faults:
            assert answer.code != "OK", f"taken, though {faults} are not what the contract wants"
    if case.name == "SendMessages":
        _are_right(answer, messages)


def _are_right(answer: Answer, messages: list[Any]) -> None:
    """Each message of a batch is answered by itself."""
    for message, data in zip(messages, answer.responses, strict=False):
        results = chat_pb2.SendMessagesResponse.FromString(data).results
        assert len(results) == len(message.requests)
        for each, result in zip(message.requests, results, strict=True):
            if rules.faults(each):
                assert result.error.reason in _MALFORMED, (each, result)


def _keeps_something(case: Case, answer: Answer) -> bool:
    """Whether part of a refused call is meant to stay: batches before the one that was refused, a caller's name."""
    if any(key == "chatsys-display-name-bin" for key, _ in case.extra):
        return True
    return bool(answer.responses) or (case.method.client_streaming and len(case.requests) > 1)


async def _tells_nothing(case: Case, stage: Stage, peer: Peer) -> None:
    for secret in stage.secrets:
        if not any(secret.room in each for each in case.requests):
            continue
        names = [(secret.room, secret.nowhere)]
        elsewhere = tuple(replaced(each, names) for each in case.requests)
        hidden = await peer.call(case.method, case.wire, stage.outsider.metadata, WITHIN)
        nowhere = await peer.call(case.method, elsewhere, stage.outsider.metadata, WITHIN)
        told = Answer(
            hidden.code,
            hidden.message.replace(secret.room.decode(), secret.nowhere.decode()),
            replaced(hidden.details, names),
            tuple(replaced(each, names) for each in hidden.responses),
        )
        assert told == nowhere, f"an outsider can tell {secret.room!r} from {secret.nowhere!r}"
