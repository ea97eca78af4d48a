"""`poll` steps with `gets`: exactly what this poll returned, in order.

What counts is what the poll itself carried: the polls that a driver makes on its own carry no step, and what they
bring is judged in `inboxes` and by the invariants. The order is judged room by room, for between rooms there is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.evidence import BY_POSITION, BY_WINDOW, no_evidence
from harness.judge.findings import proof
from harness.judge.messages import NEVER, Message
from harness.judge.state import State
from harness.matching import Mismatch, Standing, match_inbox
from harness.model.actions import InboxItem, Poll
from harness.model.history import Op
from harness.model.steps import Step
from harness.model.verdict import Status, Verdict, Violation


class _Asked:
    """One poll of the step, by one client."""

    __slots__ = ("ended", "got", "invoked", "who")

    def __init__(self, who: str, invoked: int) -> None:
        self.who = who
        self.invoked = invoked
        self.ended: Op | None = None
        self.got: dict[Message, int] = {}


class PollStep(Check):
    """One `poll` step that says what it gets."""

    group: ClassVar[Group] = "expectation"
    wants = frozenset({"poll", "deliver"})

    def __init__(self, step: Step, action: Poll, gets: tuple[InboxItem, ...]) -> None:
        self._step = step
        self._action = action
        self._gets = gets
        self.pointer = step.pointer
        self._asked: dict[int, _Asked] = {}

    @property
    def title(self) -> str:
        """The step, by who polls."""
        return f"poll of {', '.join(self._action.who)}"

    def step(self, state: State, op: Op) -> None:
        """Note the polls of the step, and what they carry."""
        if op.f == "deliver":
            asked = self._asked.get(state.now.via) if state.now.via is not None else None
            if asked is not None and not state.sentinel(state.now.message):
                asked.got.setdefault(state.now.message, op.index)
        elif op.step == self._step.pointer and op.op is not None:
            if op.type == "invoke":
                self._asked[op.op] = _Asked(op.client, op.index)
            elif op.op in self._asked:
                self._asked[op.op].ended = op

    def conclude(self, state: State) -> Iterable[Verdict]:
        """Compare each poll with what was written."""
        evidence = no_evidence()
        violations: list[Violation] = []
        unknown = "" if self._asked else "the script stopped before this step"
        for asked in self._asked.values():
            ended = asked.ended
            whole = ended is not None and ended.type == "ok" and ended.value.get("caught_up") is not False
            for difference, room in self._differences(state, asked):
                if difference.kind != "missing" or whole:
                    violations.append(self._violation(state, asked, difference, room))
            if not whole:
                unknown = unknown or f"the poll of {asked.who} did not end as it should"
            elif ended is not None:
                evidence[BY_POSITION if ended.value.get("position") else BY_WINDOW] += 1
        status = Status.FAIL if violations else Status.PASS
        if not violations and unknown:
            status = Status.UNKNOWN if self._asked else Status.NOT_EXERCISED
        return (
            self.pronounce(
                status,
                reason="" if violations else unknown,
                exercised=len(self._asked),
                evidence=evidence if self._asked else {},
                violations=violations,
            ),
        )

    def _differences(self, state: State, asked: _Asked) -> Iterable[tuple[Mismatch, str]]:
        known = state.messages.by_id

        def standing(id_: str) -> Standing:
            return known[id_].standing if id_ in known else "unsent"

        user = state.plan.client(asked.who).user
        wanted: dict[str, list[tuple[tuple[str, ...], ...]]] = {}
        for item in self._gets:
            # Of a series by several senders, everybody gets the others' part.
            series = tuple(
                ids for ids in item.series if len(item.series) == 1 or _sender(state, ids[0]) != user
            )
            if series:
                wanted.setdefault(_room(state, series[0][0]), []).append(series)
        came: dict[str, list[str]] = {}
        for message in asked.got:
            came.setdefault(message.room, []).append(_name(message))
        for room in dict.fromkeys((*wanted, *came)):
            for difference in match_inbox(wanted.get(room, []), came.get(room, []), standing):
                yield difference, room

    def _violation(self, state: State, asked: _Asked, difference: Mismatch, room: str) -> Violation:
        names = {_name(message): message for message in asked.got}
        messages = [
            message for id_ in difference.ids if (message := names.get(id_) or state.messages.by_id.get(id_))
        ]
        first, ids = messages[0], difference.ids
        ended = asked.ended.index if asked.ended is not None else -1
        if difference.kind == "missing":
            sentence = (
                f"the poll of {asked.who} did not bring `{ids[0]}`, which {first.sender} sent to {room} "
                "and the server acknowledged"
            )
            ops = proof(first.first_invoke, first.acked_at, asked.invoked, ended)
        elif difference.kind == "unexpected":
            sentence = f"the poll of {asked.who} brought `{ids[0]}`, which it should not"
            sent = first.first_invoke if first.first_invoke != NEVER else -1
            ops = proof(sent, asked.invoked, asked.got[first])
        else:
            sentence = f"the poll of {asked.who} brought `{ids[0]}` before `{ids[1]}`, and should have after"
            ops = proof(asked.invoked, *(asked.got[message] for message in messages))
        places = (self._step.pointer, *(message.pointer for message in messages))
        return Violation(
            kind="poll",
            sentence=sentence,
            ops=ops,
            pointers=tuple(dict.fromkeys(place for place in places if place is not None)),
            clients=(asked.who,),
            messages=ids,
            expected=f"[{', '.join(item.written for item in self._gets)}]",
            actual=f"[{', '.join(map(_name, asked.got))}]",
        )


def _name(message: Message) -> str:
    """Return the plan's id of a message that was sent; what nobody sent has a name that no step has."""
    return message.name if message.tries else f"{message.name} (never sent)"


def _sender(state: State, id_: str) -> str:
    message = state.messages.by_id.get(id_)
    return message.sender if message is not None else ""


def _room(state: State, id_: str) -> str:
    message = state.messages.by_id.get(id_)
    return message.room if message is not None else ""
