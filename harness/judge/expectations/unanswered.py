"""Sends that nobody answered while a fault touched them: not wrong, not known, and told with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.judge.facts import Fault
from harness.judge.findings import people, proof, quoted
from harness.judge.messages import NEVER, Message
from harness.judge.state import State
from harness.model.history import SERVER
from harness.model.verdict import Violation

#: Fault -> what it made of its target, and what did not happen when it was never healed.
_DONE = {
    "kill": ("killed", "started again"),
    "restart": ("restarted", "ready again"),
    "pause": ("stopped", "resumed"),
}
_REMEDY = {"kill": "start", "pause": "resume"}


def fault_during(state: State, message: Message) -> Fault | None:
    """Return the scripted fault on its sender or the server that was active while the send was under way."""
    end = message.open_at if message.open_at != NEVER else state.size
    touching = {SERVER, *(client.name for client in state.plan.clients if client.user == message.sender)}
    return next(
        (
            fault
            for fault in state.faults
            if fault.target in touching and fault.since <= end and fault.until >= message.first_invoke
        ),
        None,
    )


def unanswered(state: State, found: Iterable[tuple[Message, Fault]]) -> list[Violation]:
    """Return one violation, which nobody can be sure of, for the messages of each step that met one fault."""
    groups: dict[tuple[str | None, str, Fault], list[Message]] = {}
    for message, fault in found:
        groups.setdefault((message.pointer, message.sender, fault), []).append(message)
    return [_violation(state, messages, fault) for (_, _, fault), messages in groups.items()]


def _violation(state: State, messages: Sequence[Message], fault: Fault) -> Violation:
    first = messages[0]
    verb = "were" if len(messages) > 1 else "was"
    named = quoted([message.name for message in messages])
    return Violation(
        kind="outcome",
        sentence=f"{named}, which {first.sender} sent to {first.room}, {verb} never answered, while a fault was "
        f"active: {_told(state, fault)}",
        ops=proof(fault.since, first.first_invoke, first.open_at),
        pointers=tuple(place for place in (first.pointer, fault.pointer) if place is not None),
        clients=(first.sender,),
        messages=tuple(message.name for message in messages),
        expected="ok",
        actual="no answer",
        hint=_remedy(state, fault),
    )


def _told(state: State, fault: Fault) -> str:
    """Return `the server was killed on line 19, and never started again`."""
    done, undone = _DONE.get(fault.f, (f"struck by `{fault.f}`", "healed"))
    who = "the server" if fault.target == SERVER else people([fault.target])
    span = state.plan.spans.get(fault.pointer or "")
    where = f" on line {span.line}" if span is not None else ""
    return f"{who} was {done}{where}" + (f", and never {undone}" if _lasts(state, fault) else "")


def _lasts(state: State, fault: Fault) -> bool:
    """Whether the script itself never ended it: at the end all faults are."""
    return fault.until == NEVER or 0 <= state.final_at <= fault.until


def _remedy(state: State, fault: Fault) -> str:
    lossy = "`outcome: any`, if it may be lost."
    if _lasts(state, fault):
        healing = f"`{_REMEDY.get(fault.f, 'heal')}: {fault.target}`"
        return f"Nobody can tell whether it happened. Write {healing} before this step, or {lossy}"
    return f"Nobody can tell whether it happened. Write a longer `within`, or {lossy}"
