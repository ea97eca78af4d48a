"""Plans of the judge's cases, from a few words."""

from __future__ import annotations

from typing import Any

from harness.model.actions import Add, Connect, Expect, InboxItem, Kick, Poll, Resend, Send
from harness.model.cast import Client, Room
from harness.model.plan import Inbox, Plan
from harness.model.steps import Step
from tests.judge.notation import MS, PEOPLE


def plan_of(case: dict[str, Any]) -> Plan:
    """Make the plan of a case; by default alice, bob and chad in the lobby, and doug outside."""
    rooms = case.get("rooms", {"lobby": list(PEOPLE)})
    users = case.get("users", {})
    clients = tuple(
        Client(
            name=name,
            user=users.get(name, name),
            display_name=name,
            consumer=case.get("consumers", {}).get(name, ""),
            include_own=name in case.get("include_own", ()),
            receive="manual"
            if name in case.get("manual", ())
            else "poll"
            if name in case.get("polling", ())
            else "stream",
            stay_offline=name in case.get("stay_offline", ()),
        )
        for name in case.get("clients", [*PEOPLE, "doug"])
    )
    return Plan(
        title=case["name"],
        name="case",
        file="case.yaml",
        source="",
        clients=clients,
        rooms=tuple(_room(name, room) for name, room in rooms.items()),
        steps=tuple(_step(number, step) for number, step in enumerate(case.get("steps", []))),
        inboxes=tuple(_inbox(name, inbox) for name, inbox in case.get("inboxes", {}).items()),
        listed=tuple(case.get("listed", ())),
        required=tuple(case.get("required", ())),
    )


def _room(name: str, room: Any) -> Room:
    if isinstance(room, list):
        return Room(name=name, members=tuple(room))
    return Room(name=name, members=tuple(room["members"]), history=room.get("history", "since_join"))


def _step(number: int, step: dict[str, Any]) -> Step:
    pointer = f"/steps/{number}"
    within = step.get("within_ms", 2000) * MS
    action: Add | Connect | Expect | Kick | Poll | Resend | Send
    if "expect" in step:
        action = Expect(
            ids=tuple(step["expect"]),
            written=" ".join(step["expect"]),
            received_by=tuple(step.get("received_by", ())),
            not_by=tuple(step.get("not_by", ())),
        )
    elif "send" in step:
        action = Send(
            senders=(step.get("from", "alice"),),
            room=step.get("to", "lobby"),
            text=f"text of {step['send']}",
            id=step["send"],
            outcome=step.get("outcome", "ok"),
            repeat=step.get("repeat"),
        )
    elif "poll" in step:
        gets = _inbox(step["poll"], step["gets"]).items
        action = Poll(who=(step["poll"],), gets=gets)
    elif "resend" in step:
        action = Resend(ids=(step["resend"],), senders=("alice",), written=step["resend"])
    elif "add" in step:
        action = Add(users=(step["add"],), room=step.get("to", "lobby"), by=step.get("by", "alice"))
    elif "kick" in step:
        action = Kick(users=(step["kick"],), room=step.get("from", "lobby"), by=step.get("by", "alice"))
    else:
        action = Connect(who=(step["connect"],))
    given = "within_ms" in step
    return Step(
        pointer=pointer, action=action, within_ns=within, within_given=given, refused=step.get("refused")
    )


def _inbox(name: str, inbox: Any) -> Inbox:
    items = []
    for number, item in enumerate(inbox):
        if isinstance(item, str):
            series: tuple[tuple[str, ...], ...] = ((item,),)
        elif isinstance(item, dict):
            series = tuple(tuple(ids) for ids in item["interleaved"])
        else:
            series = (tuple(item),)
        items.append(InboxItem(pointer=f"/inboxes/{name}/{number}", written=str(item), series=series))
    client, _, room = name.partition("/")
    return Inbox(client=client, room=room or "lobby", pointer=f"/inboxes/{name}", items=tuple(items))
