"""How the verbs play, over a stage that only takes notes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from harness.model.actions import (
    Ack,
    Add,
    Connect,
    Create,
    Disconnect,
    Expect,
    Gone,
    Join,
    Kick,
    Leave,
    Poll,
    Resend,
    RotateKeys,
    Send,
    Wait,
)
from harness.model.steps import Step
from harness.verbs import VERBS
from harness.verbs.stage import Answer, StepFailedError


class Notes:
    """A stage whose answers are given beforehand; its clock moves by what each send takes."""

    def __init__(self, answers: Mapping[str, Answer] | None = None, send_ns: int = 0) -> None:
        self.answers = answers or {}
        self.send_ns = send_ns
        self.notes: list[str] = []
        self.clock = 0

    async def connect(self, client, step):
        self.notes.append(f"connect {client}")
        await asyncio.sleep(0)
        self.notes.append(f"{client} is there")
        return self.answers.get(client, Answer(client, "ok"))

    async def disconnect(self, client, step):
        self.notes.append(f"disconnect {client}")
        return self.answers.get(client, Answer(client, "ok"))

    async def send(self, client, room, message, text, step):
        self.notes.append(f"{self.clock}: {client} {message} {text}")
        await asyncio.sleep(0)
        self.clock += self.send_ns
        return self.answers.get(message, Answer(client, "ok"))

    async def resend(self, message, step):
        self.notes.append(f"again {message}")
        return self.answers.get(message, Answer("a", "ok"))

    async def create(self, client, room, step):
        self.notes.append(f"{client} makes {room.name} for {room.members}")
        return self.answers.get(client, Answer(client, "ok"))

    async def join(self, client, room, step):
        return self._moved(f"{client} joins {room}", client)

    async def leave(self, client, room, step):
        return self._moved(f"{client} leaves {room}", client)

    async def add(self, client, user, room, step):
        return self._moved(f"{client} adds {user} to {room}", client)

    async def kick(self, client, user, room, step):
        return self._moved(f"{client} kicks {user} from {room}", client)

    def _moved(self, note, client):
        self.notes.append(note)
        return self.answers.get(client, Answer(client, "ok"))

    async def poll(self, client, step):
        return self._moved(f"{client} polls", client)

    async def ack(self, client, through, step):
        return self._moved(f"{client} acks {through}", client)

    async def expect(self, ids, received_by, not_by, step):
        self.notes.append(f"expect {ids} {received_by} {not_by}")
        return False

    async def until_gone(self, ids, step):
        self.notes.append(f"until {ids} are gone")

    async def rotate_keys(self, change, step):
        return self._moved(f"{change} keys", "harness")

    async def pause(self, duration_ns, step):
        self.clock += duration_ns

    async def pause_until_next(self, previous_start_ns, every_ns):
        self.clock = max(self.clock, previous_start_ns + every_ns)
        return self.clock

    def now(self):
        return self.clock


def play(action, stage, refused=None):
    step = Step(pointer="/steps/0", action=action, within_ns=1, refused=refused)

    async def played():
        await VERBS[action.verb].play(stage, step)

    asyncio.run(played())
    return stage.notes


def send(**more):
    return Send(**{"senders": ("a",), "room": "r", "text": "t${n}", "id": "x", **more})


def test_a_list_acts_at_once():
    notes = play(Connect(who=("a", "b")), Notes())
    assert notes == ["connect a", "connect b", "a is there", "b is there"]


def test_a_connect_that_fails_stops_the_script():
    with pytest.raises(StepFailedError, match="b: UNAVAILABLE: no server"):
        play(Connect(who=("a", "b")), Notes({"b": Answer("b", "fail", "UNAVAILABLE", "", "no server")}))


def test_disconnect_and_wait():
    assert play(Disconnect(who=("a",)), Notes()) == ["disconnect a"]
    stage = Notes()
    play(Wait(duration_ns=7), stage)
    assert stage.clock == 7


def test_an_expectation_that_fails_does_not_stop_the_script():
    assert play(Expect(ids=("x",), written="x", received_by=("a",)), Notes()) == ["expect ('x',) ('a',) ()"]


def test_a_series_is_a_closed_loop():
    quick = play(send(repeat=3, every_ns=50), Notes(send_ns=10))
    assert quick == ["0: a x.1 t1", "50: a x.2 t2", "100: a x.3 t3"]
    slow = play(send(repeat=3, every_ns=50), Notes(send_ns=80))
    assert slow == ["0: a x.1 t1", "80: a x.2 t2", "160: a x.3 t3"]


def test_several_senders_send_at_once():
    assert play(send(senders=("a", "b"), repeat=2), Notes(send_ns=1)) == [
        "0: a x.a.1 t1",
        "0: b x.b.1 t1",
        "2: a x.a.2 t2",
        "2: b x.b.2 t2",
    ]


@pytest.mark.parametrize("end", ["fail", "info"])
def test_a_default_send_must_be_ok(end):
    stage = Notes({"x.2": Answer("a", end, "UNAVAILABLE")})
    with pytest.raises(StepFailedError, match="a: UNAVAILABLE"):
        play(send(repeat=3), stage)
    assert len(stage.notes) == 2


@pytest.mark.parametrize("end", ["ok", "fail", "info"])
def test_outcome_any_never_stops(end):
    assert len(play(send(repeat=3, outcome="any"), Notes({"x.1": Answer("a", end)}))) == 3


def test_outcome_none_stops_at_an_ok():
    play(send(outcome="none"), Notes({"x": Answer("a", "info")}))
    with pytest.raises(StepFailedError, match="outcome: none"):
        play(send(outcome="none"), Notes())


def test_a_refusal_must_be_the_one_that_is_written():
    denied = Notes({"x": Answer("a", "fail", "PERMISSION_DENIED")})
    play(send(), denied, refused="PERMISSION_DENIED")
    with pytest.raises(StepFailedError, match="expected NOT_FOUND, got PERMISSION_DENIED"):
        play(send(), denied, refused="NOT_FOUND")
    with pytest.raises(StepFailedError, match="was not refused"):
        play(send(), Notes(), refused="NOT_FOUND")


ROOM_ACTIONS = {
    "a makes r for ('a', 'b')": Create(by="a", room="r", members=("a", "b"), admins=("a",)),
    "a joins r": Join(who=("a",), room="r"),
    "a leaves r": Leave(who=("a",), room="r"),
    "a adds b to r": Add(users=("b",), room="r", by="a"),
    "a kicks b from r": Kick(users=("b",), room="r", by="a"),
    "a polls": Poll(who=("a",)),
    "a acks x": Ack(who=("a",), through="x"),
}


@pytest.mark.parametrize("note", ROOM_ACTIONS)
def test_every_other_verb_asks_its_client_and_may_be_refused(note):
    action = ROOM_ACTIONS[note]
    assert play(action, Notes()) == [note]
    no = Notes({"a": Answer("a", "fail", "PERMISSION_DENIED")})
    assert play(action, no, refused="PERMISSION_DENIED") == [note]
    with pytest.raises(StepFailedError, match="a: PERMISSION_DENIED"):
        play(action, no)
    with pytest.raises(StepFailedError, match="a: expected NOT_FOUND, but it was not refused"):
        play(action, Notes(), refused="NOT_FOUND")


def test_a_resend_ends_as_a_send_does():
    again = Resend(ids=("x", "y"), senders=("a", "a"), written="x, y")
    assert play(again, Notes()) == ["again x", "again y"]
    with pytest.raises(StepFailedError, match="a: UNAVAILABLE"):
        play(again, Notes({"y": Answer("a", "info", "UNAVAILABLE")}))
    with pytest.raises(StepFailedError, match="outcome: none"):
        play(Resend(ids=("x",), senders=("a",), written="x", outcome="none"), Notes())


def test_what_is_done_to_the_server_may_fail():
    assert play(Gone(ids=("x",), written="x"), Notes()) == ["until ('x',) are gone"]
    assert play(RotateKeys(change="retire"), Notes()) == ["retire keys"]
    no = Notes({"harness": Answer("harness", "fail", "FAILED_PRECONDITION")})
    with pytest.raises(StepFailedError, match="harness: FAILED_PRECONDITION"):
        play(RotateKeys(change="add"), no)
