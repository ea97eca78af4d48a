"""What a driver answers is not believed before it was looked at: nonsense ends the run, and is never a verdict."""

import asyncio
import json
from typing import Any, cast

import pytest

from harness.keeper.handle import Child
from harness.model.cast import Client
from harness.model.plan import Plan
from harness.run.driver import Driver, Reply
from harness.run.life import Spawn
from harness.run.names import Names
from harness.run.player import Player
from harness.run.recorder import Recorder

MESSAGE = {"room": "lobby-r", "message": "m1", "sender": "bob-r", "text": "hi", "sequence": 3}


def asked(tmp_path, work, *answers):
    """Let a player whose driver gives these answers do something; return what came of it, its fault, its history."""

    async def play():
        given = iter(answers)

        class Toy(Driver):
            async def ask(self, op, within_s, **fields):
                return next(given)

        bob = Client(name="bob", user="bob", display_name="bob")
        recorder = Recorder(tmp_path / "history.jsonl", "r")
        plan = Plan(title="t", name="t", file="t.yaml", source="", clients=(bob,), rooms=(), steps=())
        player = Player(
            bob, lambda _: {}, Names(plan, "r"), recorder,
            identify=lambda *_: None, spawn=cast("Spawn", None), on_fault=cast("Any", None),
        )  # fmt: skip
        toy = player._driver = Toy(Child(cast("Any", None), "bob", 1), tmp_path / "log", "toy", player.hear)
        try:
            return await work(player), toy.fault.result() if toy.fault.done() else ""
        finally:
            recorder.close()

    done, fault = asyncio.run(play())
    lines = (tmp_path / "history.jsonl").read_text().splitlines()[1:]
    return done, fault, [json.loads(line) for line in lines]


def ok(**fields):
    return Reply(fields, None, 1)


async def ack(player):
    return await player.ack({"lobby": 3}, 1.0, None)


async def send(player):
    return (await player.send("lobby", "m1", "m1", "hi", 1.0, None))[0]


async def audit(player):
    return await player.audit("lobby", (), 1.0)


@pytest.fixture(autouse=True)
def lobby(monkeypatch):
    monkeypatch.setattr(Names, "room_id", lambda _, room: f"{room}-r")


@pytest.mark.parametrize(
    ("work", "answer", "fault"),
    [
        (ack, ok(cursors=[1]), "its answer to `ack` lacks or garbles a field (AttributeError: "),
        (send, ok(reason="\ud800"), "its answer to `send` lacks or garbles a field (UnicodeEncodeError: "),
        (audit, ok(), "its answer to `history` lacks or garbles a field (KeyError: 'messages')"),
        (audit, ok(messages=[1]), "its answer to `history` lacks or garbles a field (TypeError: "),
        (
            audit,
            ok(messages=[{**MESSAGE, "text": None}]),
            "its answer to `history` lacks or garbles a field (TypeE",
        ),
        (
            audit,
            ok(messages=[{**MESSAGE, "sequence": "3"}]),
            "its answer to `history` lacks or garbles a field (Typ",
        ),
    ],
)
def test_a_garbled_answer_is_a_breach_of_the_protocol(tmp_path, work, answer, fault):
    answered, said, history = asked(tmp_path, work, answer)
    assert said.startswith(fault)
    assert (answered.type, answered.reason) == ("info", "DRIVER_GARBLED")
    assert [op["type"] for op in history] == ["invoke", "info"]
    assert [op["index"] for op in history] == [0, 1]


def test_pages_that_lead_nowhere_are_not_turned_for_ever(tmp_path):
    page = ok(messages=[MESSAGE], more=True)
    answered, said, history = asked(tmp_path, audit, page, page, page)
    assert said == (
        "its answer to `history` lacks or garbles a field (ValueError: there is `more`, and nothing beyond 3 came)"
    )
    assert answered.type == "info"
    assert [op["f"] for op in history] == ["history", "read", "history"]


def test_a_room_is_read_page_by_page(tmp_path):
    last = ok(messages=[{**MESSAGE, "sequence": 4}], more=False, lost=1)
    answered, said, history = asked(tmp_path, audit, ok(messages=[MESSAGE], more=True), last)
    assert (answered.type, said) == ("ok", "")
    assert (history[-1]["value"]["count"], history[-1]["value"]["lost"]) == (2, 1)


@pytest.mark.parametrize("definite", [None, "false", 1, [0]])
def test_only_true_is_definite(tmp_path, definite):
    answered, _, _ = asked(tmp_path, send, Reply(None, {"code": "ABORTED", "definite": definite}, 1))
    assert answered.type == "info"
