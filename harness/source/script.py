"""`steps`: each is one verb with its modifiers; read top to bottom, with a scope that knows what came before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.model.plan import Step
from harness.source.reporter import Reporter
from harness.verbs import LATER_VERBS, VERBS
from harness.verbs.keys import not_yet, read_keys, table
from harness.verbs.kinds import describe
from harness.verbs.problem import Problem, escape, suggest
from harness.verbs.scope import Scope

#: Verbs that bring nobody online or offline, and verbs that change nobody's membership.
_KEEP_PRESENCE = frozenset(
    {"create", "join", "leave", "add", "kick", "send", "resend", "poll", "ack", "expect", "wait"}
)
_KEEP_MEMBERS = frozenset({"connect", "disconnect", "send", "resend", "expect", "wait", "ack"})


def declared_ids(steps: object) -> dict[str, int]:
    """Return every id that a step gives, broken steps too -> the number of the first such step."""
    found: dict[str, int] = {}
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        for id_ in _ids_within(step):
            found.setdefault(id_, number)
    return found


def _ids_within(data: object) -> Iterator[str]:
    """Yield ids of a step, and of the steps in its lanes."""
    if isinstance(data, dict):
        if isinstance(id_ := data.get("id"), str):
            yield id_
        for value in data.values():
            yield from _ids_within(value)
    elif isinstance(data, list):
        for item in data:
            yield from _ids_within(item)


def declared_rooms(steps: object) -> dict[str, int]:
    """Return every room that a `create` names, in broken steps too -> the number of the first such step."""
    found: dict[str, int] = {}
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        for room in _created_within(step):
            found.setdefault(room, number)
    return found


def _created_within(data: object) -> Iterator[str]:
    if isinstance(data, dict):
        if isinstance(room := data.get("create"), str):
            yield room
        for value in data.values():
            yield from _created_within(value)
    elif isinstance(data, list):
        for item in data:
            yield from _created_within(item)


def read_steps(data: object, scope: Scope, reporter: Reporter) -> list[Step]:
    """Read all steps; those with faults are reported and left out."""
    if not isinstance(data, list):
        reporter(
            Problem(
                code="wrong-type",
                pointer="/steps",
                message=f"a list of steps is wanted here, not {describe(data)}",
                label="each step begins with `- ` and a verb: `- connect: alice`",
            )
        )
        return []
    if not data:
        reporter(
            Problem(
                code="says-nothing",
                pointer="/steps",
                message="the script has no steps",
                label="write one: `- connect: alice`",
            )
        )
    steps = []
    for number, item in enumerate(data):
        scope.step = number
        before = reporter.errors
        step = _step(item, f"/steps/{number}", scope, reporter)
        if step is not None and reporter.errors == before:
            steps.append(step)
            continue
        verbs = (
            {name for name in item if name in VERBS or name in LATER_VERBS}
            if isinstance(item, dict)
            else set()
        )
        # Who is online after a faulty step is anybody's guess, unless it could not change that.
        scope.presence_known &= len(verbs) == 1 and verbs <= _KEEP_PRESENCE
        scope.members_known &= len(verbs) == 1 and verbs <= _KEEP_MEMBERS
        scope.rooms_known &= "create" not in verbs
    return steps


def _step(item: object, pointer: str, scope: Scope, reporter: Reporter) -> Step | None:
    if not isinstance(item, dict):
        label = "write `- connect: alice`"
        if isinstance(item, str) and item in VERBS:
            label = f"`{item}` needs a value: `- {item}: …`"
        reporter(
            Problem(
                code="wrong-type",
                pointer=pointer,
                message=f"a step is a verb and its value, not {describe(item)}",
                label=label,
            )
        )
        return None
    written, name = _verb(item, pointer, reporter)
    if written:
        reporter.tree.values[pointer] = reporter.tree.place(f"{pointer}/{escape(written)}", on_key=True)
    if name not in VERBS:
        return None
    verb = VERBS[name]
    if written != name or len(item.keys() & (VERBS.keys() | LATER_VERBS.keys())) > 1:
        # Said already: what belongs to the verb that was probably meant is checked all the same.
        item = {name: item[written], **{word: item[word] for word in table(verb.keys) if word in item}}
    keys = read_keys(verb.keys, item, pointer, reporter, what=f"`{name}`")
    action = verb.compile(keys, scope, pointer)
    if action is None:
        return None
    return Step(
        pointer=pointer,
        action=action,
        after_ns=keys.after,
        at_ns=keys.at,
        within_ns=verb.within_ns if keys.within is None else keys.within,
        within_given=keys.within is not None,
        refused=getattr(keys, "refused", None),
    )


def _verb(item: Mapping[str, Any], pointer: str, reporter: Reporter) -> tuple[str, str]:
    """Find the one verb of a step; report none, two, a misspelt one and one of a later version.

    Returns:
        The key that holds the verb, and the verb that it is or probably means; either may be empty.
    """
    found = [name for name in item if name in VERBS or name in LATER_VERBS]
    if len(found) > 1:
        reporter(
            Problem(
                code="two-verbs",
                pointer=f"{pointer}/{escape(found[1])}",
                message=f"one step does two things: `{found[0]}` and `{found[1]}`",
                label="start a new `- ` item here?",
                on_key=True,
            )
        )
        return found[0], found[0]
    if found:
        if found[0] in LATER_VERBS:
            reporter(not_yet(f"`{found[0]}`", LATER_VERBS[found[0]], f"{pointer}/{escape(found[0])}"))
        return found[0], found[0]
    verbs = (f"verbs: {', '.join(VERBS)}",)
    modifiers = {name for verb in VERBS.values() for name in table(verb.keys)} - VERBS.keys()
    strange = next((name for name in item if name not in modifiers), None)
    if strange is not None:
        meant = suggest(strange, [*VERBS, *LATER_VERBS])
        reporter(
            Problem(
                code="unknown-verb",
                pointer=f"{pointer}/{escape(strange)}",
                message=f"no verb is called `{strange[:70]}`",
                label=f"did you mean `{meant}`?" if meant else "",
                help=verbs,
                on_key=True,
            )
        )
        return strange, meant
    reporter(
        Problem(
            code="no-verb",
            pointer=f"{pointer}/{escape(next(iter(item)))}" if item else pointer,
            message="this step has no verb",
            label="does it belong to the step above?" if item else "",
            help=verbs,
            on_key=True,
        )
    )
    return "", ""
