"""Every way to change one name or one id in what a scenario says, and what must come of it.

`mutants(text)` drops, adds and swaps every name and id in every `expect` and in every entry of `inboxes`. What each
mutant must end with is not read off the mutation: the mutant is loaded, and its statements are compared with the
truth of a good server, which follows from the script alone (who is in the room, who sent, who was online).

* `holds`    every statement is still true, though perhaps weaker: the run passes (exit 0)
* `fails`    some statement is false: the run must fail (exit 1) and name a person and a message of `wrong`
* `invalid`  the file contradicts itself or speaks of what is not there: nothing starts (exit 2)

The truth model covers what this version plays: rooms whose members do not change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from harness.model.actions import Connect, Disconnect, Expect, Send
from harness.model.plan import Plan
from harness.model.span import Span
from harness.source import compile_plan

Outcome = Literal["holds", "fails", "invalid"]


@dataclass(frozen=True)
class Mutant:
    """One changed file and what must come of it."""

    description: str
    text: str
    outcome: Outcome
    wrong: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The false statements: a person, and the messages of which at least one must be named with him."""

    @property
    def exit_code(self) -> int:
        return {"holds": 0, "fails": 1, "invalid": 2}[self.outcome]

    @property
    def person(self) -> str:
        """Whom the report must name; empty unless it fails."""
        return self.wrong[0][0] if self.wrong else ""

    @property
    def message(self) -> str:
        """Which message the report must name with `person`, when there is no choice."""
        return self.wrong[0][1][0] if self.wrong else ""


def mutants(text: str) -> Iterator[Mutant]:
    """Yield every mutant of a scenario, each text once; the scenario itself must be a true one."""
    plan = _load(text)
    assert plan is not None, "only a valid scenario has mutants"
    assert not falsehoods(plan), "only a true scenario has mutants"
    seen = {text}
    for description, changed in _changes(plan, text):
        if changed in seen:
            continue
        seen.add(changed)
        mutant = _load(changed)
        if mutant is None:
            yield Mutant(description, changed, "invalid")
        else:
            wrong = falsehoods(mutant)
            yield Mutant(description, changed, "fails" if wrong else "holds", wrong)


def _load(text: str) -> Plan | None:
    return compile_plan(text, "mutant.yaml", "mutant")[0]


# -- the truth ---------------------------------------------------------------------------------------------


def received(plan: Plan) -> dict[str, list[str]]:
    """Return what each client has received in the end on a good server, in order of sending."""
    inboxes: dict[str, list[str]] = {client.name: [] for client in plan.clients}
    for step, send in plan.sends():
        if step.refused is not None or send.outcome != "ok":
            continue
        members = plan.room(send.room).members
        for sender, id_, _ in send.messages():
            for client in plan.clients:
                own = client.user == plan.client(sender).user and not client.include_own
                if client.user in members and not own:
                    inboxes[client.name].append(id_)
    return inboxes


def falsehoods(plan: Plan) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return every statement of a plan that is false on a good server."""
    wrong = list(_false_expectations(plan))
    truth = received(plan)
    rooms = {id_: send.room for _, send in plan.sends() for _, id_, _ in send.messages()}
    for box in plan.inboxes:
        true = [id_ for id_ in truth[box.client] if rooms[id_] == box.room]
        said = [id_ for item in box.items for series in item.series for id_ in series]
        assert all(len(item.series) == 1 for item in box.items), "merged series have no one truth"
        if missing := tuple(id_ for id_ in said if id_ not in true):
            wrong.append((box.client, missing))
        if unwanted := tuple(id_ for id_ in true if id_ not in said):
            wrong.append((box.client, unwanted))
        if not missing and not unwanted and said != true:
            misplaced = tuple(one for one, other in zip(said, true, strict=True) if one != other)
            wrong.append((box.client, misplaced))
    return tuple(wrong)


def _false_expectations(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    truth = received(plan)
    online: set[str] = set()
    has: dict[str, set[str]] = {client.name: set() for client in plan.clients}
    sent: set[str] = set()
    for step in plan.steps:
        match step.action:
            case Connect(who=who) if step.refused is None:
                online |= set(who)
            case Disconnect(who=who) if step.refused is None:
                online -= set(who)
            case Send() as send:
                sent |= {id_ for _, id_, _ in send.messages()}
            case Expect() as expect:
                for id_ in expect.ids:
                    for name in expect.received_by:
                        if id_ not in has[name]:
                            yield name, (id_,)
                    for name in expect.not_by:
                        if id_ in has[name]:
                            yield name, (id_,)
            case _:
                pass
        for name in online:
            has[name] |= sent & set(truth[name])


# -- the changes -------------------------------------------------------------------------------------------


def _changes(plan: Plan, text: str) -> Iterator[tuple[str, str]]:
    names = [client.name for client in plan.clients]
    ids = _ids(plan)
    for step in plan.steps:
        if not isinstance(step.action, Expect):
            continue
        said = f"expect {step.action.written} (line {plan.spans[step.pointer].line})"
        for key, words in (("received_by", names), ("not_by", names), ("expect", ids)):
            pointer = f"{step.pointer}/{key}"
            if pointer in plan.spans:
                yield from _list_changes(f"{said}: {key}", text, plan.spans[pointer], words, ordered=False)
        yield from _crossings(said, plan, text, step.pointer)
    for client in plan.listed:
        span = plan.spans[f"/inboxes/{client}"]
        yield from _list_changes(f"inbox of {client}", text, span, ids, ordered=True)
        yield f"inbox of {client}: dropped", _without_line(text, span.line)
    for number, one in enumerate(plan.listed):
        for other in plan.listed[number + 1 :]:
            first, second = plan.spans[f"/inboxes/{one}"], plan.spans[f"/inboxes/{other}"]
            changed = _replaced(text, first, _at(text, second))
            yield f"inboxes of {one} and {other}: swapped", _replaced(changed, second, _at(text, first))


def _crossings(said: str, plan: Plan, text: str, step: str) -> Iterator[tuple[str, str]]:
    """Move every name between `received_by` and `not_by`, and exchange every pair of them."""
    spans = [plan.spans.get(f"{step}/{key}") for key in ("received_by", "not_by")]
    if spans[0] is None or spans[1] is None:
        return
    first, second = spans[0], spans[1]
    received, barred = _entries(_at(text, first)), _entries(_at(text, second))

    def changed(one: list[str], other: list[str]) -> str:
        return _replaced(_replaced(text, first, _written(one)), second, _written(other))

    for name in received:
        yield f"{said}: {name} moved to not_by", changed(_without(received, name), [*barred, name])
        for other in barred:
            yield (
                f"{said}: {name} and {other} exchanged",
                changed([*_without(received, name), other], [*_without(barred, other), name]),
            )
    for name in barred:
        yield f"{said}: {name} moved to received_by", changed([*received, name], _without(barred, name))


def _entries(here: str) -> list[str]:
    return [word.strip() for word in here.strip("[]").split(",") if word.strip()]


def _written(items: list[str]) -> str:
    return f"[{', '.join(items)}]"


def _without(items: list[str], item: str) -> list[str]:
    return [other for other in items if other != item]


def _ids(plan: Plan) -> list[str]:
    """Every way to write messages: each id, and each series as a whole."""
    words = []
    for _, send in plan.sends():
        ids = [id_ for _, id_, _ in send.messages()]
        words += ids if send.repeat is None and len(send.senders) == 1 else [f"{send.id}.*", *ids]
    return [word for word in words if not word.startswith("@")]


def _list_changes(
    what: str, text: str, span: Span, words: list[str], *, ordered: bool
) -> Iterator[tuple[str, str]]:
    """Drop, add and swap every entry of a list that stands on one line, or of a single word."""
    entries = _entries(_at(text, span))

    def changed(items: list[str]) -> str:
        return _replaced(text, span, _written(items))

    for index, entry in enumerate(entries):
        yield f"{what}: {entry} dropped", changed(entries[:index] + entries[index + 1 :])
        for word in words:
            if word not in entries:
                swapped = [*entries[:index], word, *entries[index + 1 :]]
                yield f"{what}: {entry} swapped for {word}", changed(swapped)
        for later in range(index + 1, len(entries)):
            order = list(entries)
            order[index], order[later] = order[later], order[index]
            yield f"{what}: {entry} and {entries[later]} in each other's place", changed(order)
    for word in words:
        places = range(len(entries) + 1) if ordered else (len(entries),)
        for place in places:
            yield f"{what}: {word} added at {place + 1}", changed([*entries[:place], word, *entries[place:]])


def _at(text: str, span: Span) -> str:
    line = text.split("\n")[span.line - 1]
    return line[span.column - 1 : span.column - 1 + span.width]


def _replaced(text: str, span: Span, new: str) -> str:
    lines = text.split("\n")
    line = lines[span.line - 1]
    lines[span.line - 1] = line[: span.column - 1] + new + line[span.column - 1 + span.width :]
    return "\n".join(lines)


def _without_line(text: str, number: int) -> str:
    lines = text.split("\n")
    return "\n".join(lines[: number - 1] + lines[number:])
