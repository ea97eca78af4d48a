"""`steps`: each is one verb with its modifiers; read top to bottom, with a scope that knows what came before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.model.steps import Step
from harness.source.reporter import Reporter
from harness.verbs import LATER_VERBS, VERBS
from harness.verbs.keys import not_yet, read_keys, table
from harness.verbs.kinds import describe
from harness.verbs.problem import Problem, escape, suggest
from harness.verbs.scope import Scope
from harness.verbs.when import read_when

#: Verbs of faults on what is no process; verbs that bring nobody online or offline; and verbs that change nobody's
#: membership.
_ELSEWHERE = frozenset(
    {"cut", "slow", "refuse", "half_open", "reset", "disk_full", "read_only", "heal"}
    | {"lose", "delay", "duplicate", "goaway"}
)
_KEEP_PRESENCE = (
    frozenset(
        {"create", "join", "leave", "add", "kick", "send", "resend", "poll", "ack", "expect", "gone", "wait"}
    )
    | {"rotate_keys"}
    | _ELSEWHERE
)
_KEEP_MEMBERS = (
    frozenset({"connect", "disconnect", "send", "resend", "expect", "gone", "wait", "ack", "rotate_keys"})
    | {"kill", "start", "restart", "pause", "resume"}
    | _ELSEWHERE
)


class Written(NamedTuple):
    """What all steps say of themselves, broken ones and those of lanes too; a step's number is its place here."""

    pointers: list[str]
    """Of every step, in file order."""
    ids: dict[str, int]
    """Every id that a step gives -> the number of the first such step."""
    rooms: dict[str, int]
    """Every room that a `create` names -> the number of the first such step."""
    twice: set[str]
    """Ids that more than one step gives: nobody can say which of them is meant."""


def numbered(steps: object) -> Written:
    """Number all steps in file order."""
    found = Written([], {}, {}, set())
    for pointer, item in _written(steps, "/steps"):
        if isinstance(item, dict):
            for key, names in (("id", found.ids), ("create", found.rooms)):
                if isinstance(name := item.get(key), str):
                    if key == "id" and name in names:
                        found.twice.add(name)
                    names.setdefault(name, len(found.pointers))
        found.pointers.append(pointer)
    return found


def _written(steps: object, pointer: str) -> Iterator[tuple[str, object]]:
    """Yield every step as written, with its pointer."""
    for number, item in enumerate(steps if isinstance(steps, list) else ()):
        where = f"{pointer}/{number}"
        yield where, item
        lanes = item.get("parallel") if isinstance(item, dict) else None
        if isinstance(lanes, dict):
            for name, inside in lanes.items():
                yield from _written(inside, f"{where}/parallel/{escape(name)}")


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
    scope.read_lane = lambda lane, inside, pointer: tuple(_steps(lane, pointer, inside, reporter))
    return _steps(data, "/steps", scope, reporter)


def _steps(data: list[object], at: str, scope: Scope, reporter: Reporter) -> list[Step]:
    steps = []
    numbers = {pointer: number for number, pointer in enumerate(scope.pointers)}
    for place, item in enumerate(data):
        pointer = f"{at}/{place}"
        scope.step = numbers[pointer]
        before = reporter.errors
        step = _step(item, pointer, scope, reporter)
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
    when = read_when(keys.when, scope, f"{pointer}/when") if "when" in keys.given else None
    action = verb.compile(keys, scope, pointer)
    if action is None:
        return None
    return Step(
        pointer=pointer,
        action=action,
        after_ns=keys.after,
        at_ns=keys.at,
        when=when,
        within_ns=verb.within_ns if keys.within is None else keys.within,
        within_given=keys.within is not None,
        refused=getattr(keys, "refused", None),
    )


#: What the verbs are called elsewhere.
_OTHER_WORDS = {"sleep": "wait", "say": "send", "invite": "add", "remove": "kick", "stop": "kill"}


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
        meant = _OTHER_WORDS.get(strange.casefold()) or suggest(strange, [*VERBS, *LATER_VERBS])
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
