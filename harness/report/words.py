"""Steps and operations in words: one short phrase each, the same in every report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from harness.model.calls import Delay, Duplicate, GoAway, Lose
from harness.model.disk import DiskFull, ReadOnly
from harness.model.faults import Heal, Kill, Pause, Restart, Resume, Start
from harness.model.history import NEMESIS, Op
from harness.model.network import Cut, HalfOpen, Refuse, Reset, Slow
from harness.model.steps import Parallel, Step
from harness.report.text import seconds

#: Text of a message nobody scripted, as far as it is quoted.
_QUOTED = 24


def say_step(step: Step) -> str:
    """Return a step in a few words: `connect bob, chad`."""
    action = step.action
    match action:
        case Connect() | Disconnect():
            return f"{action.verb} {names(action.who)}"
        case Send():
            what = action.id if action.repeat is None else f"{action.id}.1 … {action.id}.{action.repeat}"
            return f"send {what} from {names(action.senders)} to {action.room}"
        case Expect():
            parts = [f"expect {action.written}"]
            if action.received_by:
                parts.append(f"received by {names(action.received_by)}")
            if action.not_by:
                parts.append(f"not by {names(action.not_by)}")
            return ", ".join(parts)
        case Create():
            others = tuple(user for user in action.members[1:])
            return f"create {action.room} by {action.by}" + (f" with {names(others)}" if others else "")
        case Join() | Leave():
            return (
                f"{action.verb} {names(action.who)} {'to' if action.verb == 'join' else 'from'} {action.room}"
            )
        case Add() | Kick():
            where = "to" if action.verb == "add" else "from"
            return f"{action.verb} {names(action.users)} {where} {action.room} by {action.by}"
        case Resend():
            return f"resend {action.written} from {names(tuple(dict.fromkeys(action.senders)))}"
        case Poll():
            if action.gets is None:
                return f"poll {names(action.who)}"
            return f"poll {names(action.who)}, gets {', '.join(item.written for item in action.gets) or 'nothing'}"
        case Ack():
            return f"ack {names(action.who)}" + (f" through {action.through}" if action.through else "")
        case Gone():
            return f"gone {action.written}"
        case RotateKeys():
            return f"rotate keys: {action.change}"
        case Wait():
            return f"wait {action.fault or seconds(action.duration_ns)}"
        case Parallel():
            return f"parallel {names(tuple(lane.name for lane in action.lanes))}"
        case Kill() | Pause():
            long = "" if action.for_ns is None else f" for {seconds(action.for_ns)}"
            return f"{action.verb} {names(action.targets)}{long}"
        case Heal():
            return f"heal {names(action.faults + action.targets)}"
        case Cut() | Slow() | Refuse() | HalfOpen() | DiskFull() | ReadOnly():
            long = "" if action.for_ns is None else f" for {seconds(action.for_ns)}"
            way = getattr(action, "direction", "both")
            return f"{action.verb} {names(action.targets)}{'' if way == 'both' else f' {way}'}{long}"
        case Lose() | Delay() | Duplicate():
            long = f" by {seconds(action.delay_ns)}" if isinstance(action, Delay) else ""
            return (
                f"{action.verb} the {action.part} of {action.of or 'a call'} by {names(action.targets)}{long}"
            )
        case Start() | Restart() | Resume() | Reset() | GoAway():
            return f"{action.verb} {names(action.targets)}"


def names(who: tuple[str, ...]) -> str:
    """Return a list of names, cut when it is long."""
    if len(who) > 4:
        return f"{', '.join(who[:3])} … {len(who) - 3} more"
    return ", ".join(who)


def message_name(value: Mapping[str, Any]) -> str:
    """Return what a message is called: the plan's id, else the client message id, else its text."""
    for key in ("id", "client_message_id"):
        if name := value.get(key):
            return str(name)
    text = str(value.get("text") or "")
    return f"“{text[:_QUOTED]}{'…' if len(text) > _QUOTED else ''}”"


def refusal(op: Op) -> str:
    """Return why an operation did not end ok: `PERMISSION_DENIED NOT_A_MEMBER`, or a word for no answer."""
    error = op.error or {}
    parts = [str(error[key]) for key in ("code", "reason") if error.get(key)]
    return " ".join(parts) or ("refused" if op.type == "fail" else "no answer")


def ending(value: Mapping[str, Any]) -> str:
    """Return how a process ended: `killed by signal 9 as asked`, `exit 1`."""
    signal = value.get("signal")
    how = f"killed by signal {signal}" if signal is not None else f"exit {value.get('code')}"
    return f"{how} as asked" if value.get("asked") else how


def say_op(op: Op) -> str:
    """Return an operation in a few words, without its process: `send before: ok, sequence 1`."""
    if op.f == "exit":
        return ending(op.value)
    phrase = " ".join(part for part in (_VERB.get(op.f, op.f), _object(op)) if part)
    if op.type == "ok" and (op.op is None or op.f == "read"):
        return phrase
    if op.type == "invoke":
        return phrase if op.f == "send" or op.process == NEMESIS else f"{phrase} begins".lstrip()
    if op.type == "info":
        return f"{phrase}: unknown ({refusal(op)})"
    good = op.type == "ok"
    match op.f:
        case "expect":
            return f"{phrase}: {'fulfilled' if good else 'not fulfilled'}"
        case "fence" if good:
            return f"{phrase} reached"
        case "script":
            return "played to its end" if good else f"stopped: {op.value.get('reason') or refusal(op)}"
        case _:
            return f"{phrase}: ok{_result(op.value)}" if good else f"{phrase}: {refusal(op)}"


_VERB = {
    "script": "",
    "deliver": "got",
    "claim": "was told that",
    "read": "audit saw",
    "history": "audit of",
    "holds": "counted the server's open files",
    "leftovers": "looked for what was left running",
    "ended": "membership ended in",
}


def _object(op: Op) -> str:
    value = op.value
    match op.f:
        case "send" | "deliver" | "read":
            return message_name(value)
        case "claim":
            return f"{value.get('room')} is complete up to {value.get('through')}"
        case "fence":
            return f"by {value['grade']}" if value.get("grade") else ""
        case "expect" | "gone":
            return ", ".join(map(str, value.get("ids", ())))
        case "rotate_keys":
            return str(value.get("change", ""))
        case "connection":
            return str(value.get("state", ""))
        case "parallel":
            return names(tuple(map(str, value.get("lanes", ()))))
        case "wait" if value.get("when"):
            return f"until {value.get('count')} of {value.get('of')} were {value['when']}"
        case "wait" if value.get("fault"):
            return f"for the end of {value['fault']}"
        case _ if op.process == NEMESIS:
            named = value.get("targets") or ()
            return names(tuple(map(str, named))) if isinstance(named, (list, tuple)) else str(named)
        case "ack":
            return ", ".join(f"{room} up to {through}" for room, through in value.get("acks", {}).items())
        case "history" | "ended" | "create" | "join" | "leave":
            return str(value.get("room", ""))
        case "add" | "kick":
            return (
                f"{value.get('user', '')} {'to' if op.f == 'add' else 'from'} {value.get('room', '')}".strip()
            )
        case _:
            return ""


def _result(value: Mapping[str, Any]) -> str:
    for key in ("sequence", "count"):
        if value.get(key) is not None:
            return f", {key} {value[key]}"
    return ""
