"""`nemesis`: random faults beside a workload, read by the tables of the fault verbs and drawn from the seed.

A fault is written as in a step, without its moment. Each drawing fills in whom it hits, and is compiled by its verb
as if it stood in a script in which everybody is online; so every fault verb can be drawn, and says what is wrong
with its keys.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from harness.model.steps import Action, Step
from harness.model.workload import FAULTS
from harness.source.dice import Dice
from harness.source.reporter import Reporter
from harness.verbs import FAULT_VERBS, LATER_VERBS, VERBS
from harness.verbs.keys import Keys, key, not_yet, read_keys
from harness.verbs.kinds import DURATION, BadValueError, Kind, describe, read_duration, read_integer
from harness.verbs.problem import Problem, did_you_mean, escape
from harness.verbs.scope import Scope

#: Modifiers of a step that say when it is played, and under which name: the nemesis knows better.
NOT_HERE = ("at", "after", "when", "id")
#: After the end of a fault its targets are let alone so long before another is drawn for them.
_RECOVERY_NS = 1_000_000_000
_LEAST_NS = 10_000_000


def _read_pace(value: object) -> int:
    ns = read_duration(value)
    if ns < _LEAST_NS:
        raise BadValueError("a nemesis needs some time between its faults", "10ms at least")
    return ns


def _read_faults(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise BadValueError(
            f"a list of faults is wanted here, not {describe(value)}",
            "each begins with `- ` and a verb: `- kill: server`",
            code="wrong-type",
        )
    if not value:
        raise BadValueError("the nemesis has no faults", "write one: `- kill: server`", code="says-nothing")
    return tuple(value)


@dataclass(frozen=True, kw_only=True)
class NemesisKeys(Keys):
    """The keys of `nemesis`."""

    every: int = key(
        Kind(_read_pace, DURATION.schema),
        "Pause between two faults: `3s`, by 50 % more or less as the seed will have it.",
    )
    faults: Sequence[object] = key(
        Kind(_read_faults, {"type": "array", "minItems": 1}, ()),
        "What it does, in the words of steps; `{any: 3}` hits three clients of the workload. Each ends by itself.",
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as it is written."""

    pointer: str
    item: Mapping[str, Any]
    verb: str
    many: int
    """It hits so many clients; 0 when they are named."""
    named: tuple[str, ...]
    length_ns: int


@dataclass(slots=True)
class Nemesis:
    """A `nemesis` that was read and checked, ready to be drawn."""

    every_ns: int
    faults: tuple[Fault, ...]
    scope: Scope
    clients: tuple[str, ...]

    def draw(self, seed: int, duration_ns: int) -> tuple[Step, ...]:
        """Draw its faults: each of the list once before any comes again."""
        dice = Dice(seed, "nemesis")
        busy: dict[str, int] = {}
        bag: list[Fault] = []
        steps: list[Step] = []
        moment = 0
        while True:
            moment += int(self.every_ns * (0.5 + dice.fraction()))
            if moment >= duration_ns:
                return tuple(steps)
            bag = bag or dice.sample(self.faults, len(self.faults))
            fault = bag.pop()
            free = [name for name in self.clients if busy.get(name, 0) <= moment]
            targets = dice.sample(free, fault.many) if fault.many else list(fault.named)
            if fault.many and not targets:
                continue  # everybody is being hit already
            busy.update(dict.fromkeys(targets, moment + fault.length_ns + _RECOVERY_NS))
            compiled = _compile(fault, targets, self.scope, lambda _: None)
            assert compiled is not None  # it was, with other names of the cast, when the file was read
            number = len(steps) + 1
            action, within_ns, _ = compiled
            if hasattr(action, "id"):
                action = dataclasses.replace(cast("Any", action), id=f"@n{number}")
            pointer = f"{FAULTS}{self.faults.index(fault)}/{number}"
            steps.append(Step(pointer=pointer, action=action, at_ns=moment, within_ns=within_ns))


def read_nemesis(
    data: object, scope: Scope, reporter: Reporter, clients: Sequence[str] | None
) -> Nemesis | None:
    """Read and check `nemesis`; None after reporting what is wrong with it.

    Args:
        data: as it stands in the file.
        scope: what is known before the first step.
        reporter: of the file.
        clients: of the workload, from whom `any` picks; None when there is no workload to speak of.
    """
    if not isinstance(data, dict):
        reporter(
            Problem(
                code="wrong-type",
                pointer="/nemesis",
                message=f"a map is wanted here, not {describe(data)}",
                label="write `{every: 3s, faults: [...]}`",
            )
        )
        return None
    keys = read_keys(NemesisKeys, data, "/nemesis", reporter, what="`nemesis`")
    everybody = tuple(scope.clients if clients is None else clients)
    found = [
        _read(item, f"/nemesis/faults/{index}", scope, reporter, everybody)
        for index, item in enumerate(keys.faults)
    ]
    faults = tuple(fault for fault in found if fault is not None)
    if keys.broken or len(faults) < len(found):
        return None
    return Nemesis(keys.every, faults, scope, everybody)


def _read(
    item: object, pointer: str, scope: Scope, reporter: Reporter, clients: tuple[str, ...]
) -> Fault | None:
    verb = _verb(item, pointer, reporter)
    if verb is None or not isinstance(item, dict):
        return None
    reporter.tree.values[pointer] = reporter.tree.place(f"{pointer}/{verb}", on_key=True)
    good = True
    for word in NOT_HERE:
        if word in item:
            good = False
            reporter(
                Problem(
                    code="contradiction",
                    pointer=f"{pointer}/{word}",
                    message=f"the seed decides when a fault of the nemesis comes, and `{word}` has no place in it",
                    label=f"remove `{word}`, or make it a step",
                    on_key=True,
                )
            )
    many = 0
    if isinstance(item[verb], dict):
        try:
            many = _any(item[verb], len(clients))
        except BadValueError as fault:
            at = f"{pointer}/{verb}{fault.at}"
            reporter(Problem(code=fault.code, pointer=at, message=fault.message, label=fault.label))
            return None
    made = Fault(pointer, item, verb, many, (), 0)
    before = reporter.errors
    compiled = _compile(made, list(clients[:many]), scope, reporter)
    if not good or compiled is None or reporter.errors > before:
        return None
    action, _, ends = compiled
    if not ends:
        reporter(
            Problem(
                code="never-ends",
                pointer=f"{pointer}/{verb}",
                message=f"this `{verb}` does not end by itself, and nobody else ends what the nemesis does",
                label="give it a `for`",
                on_key=True,
            )
        )
        return None
    named = () if many else tuple(getattr(action, "targets", ()))
    return dataclasses.replace(made, named=named, length_ns=getattr(action, "for_ns", None) or 0)


def _verb(item: object, pointer: str, reporter: Reporter) -> str | None:
    """Find the one fault of an entry."""
    if not isinstance(item, dict):
        reporter(
            Problem(
                code="wrong-type",
                pointer=pointer,
                message=f"a fault is a verb and its value, not {describe(item)}",
                label="write `- kill: server`",
            )
        )
        return None
    found = [word for word in item if word in VERBS or word in LATER_VERBS]
    if len(found) > 1:
        reporter(
            Problem(
                code="two-verbs",
                pointer=f"{pointer}/{found[1]}",
                message=f"one fault does two things: `{found[0]}` and `{found[1]}`",
                label="start a new `- ` item here?",
                on_key=True,
            )
        )
        return None
    if found and found[0] in FAULT_VERBS:
        return str(found[0])
    if found and found[0] in LATER_VERBS:
        reporter(not_yet(f"`{found[0]}`", LATER_VERBS[found[0]], f"{pointer}/{found[0]}"))
        return None
    written = found[0] if found else next(iter(item), "")
    if found:
        message = f"`{written}` is no fault that the nemesis could draw"
    else:
        message = f"no fault is called `{written[:70]}`" if written else "here is no fault"
    reporter(
        Problem(
            code="unknown-verb" if written else "no-verb",
            pointer=f"{pointer}/{escape(written)}" if written else pointer,
            message=message,
            label=did_you_mean(written, FAULT_VERBS),
            help=(f"faults: {', '.join(FAULT_VERBS)}",),
            on_key=bool(written),
        )
    )
    return None


def _any(value: Mapping[str, Any], most: int) -> int:
    if list(value) != ["any"]:
        raise BadValueError("a fault hits names, or any so many clients", "write `{any: 3}`")
    try:
        return read_integer(value["any"], 1, max(1, most))
    except BadValueError as fault:
        label = fault.label if fault.code == "wrong-type" else f"the workload has {most:,}"
        raise BadValueError(fault.message, label, code=fault.code, at="/any") from None


def _compile(
    fault: Fault, targets: Sequence[str], scope: Scope, report: Any
) -> tuple[Action, int, bool] | None:
    """Compile one fault on these targets, or on those it names; return action, deadline, and whether it ends."""
    verb = VERBS[fault.verb]
    item = {word: value for word, value in fault.item.items() if word not in NOT_HERE}
    if fault.many:
        item[fault.verb] = list(targets)
    keys = read_keys(verb.keys, item, fault.pointer, report, what=f"`{fault.verb}`")
    calm = dataclasses.replace(
        scope,
        report=report,
        step=-1,
        presence_known=True,
        online=dict.fromkeys(scope.clients, -1),
        left={},
        unsure=set(),
        dead={},
        frozen={},
        faults={},
        bases={},
        spots={},
    )
    action = verb.compile(keys, calm, fault.pointer)
    if action is None:
        return None
    ends = all(begun.ends for begun in calm.faults.values())
    return action, verb.within_ns if keys.within is None else keys.within, ends


def hits(nemesis: Nemesis) -> Iterator[str]:
    """Yield whom it may hit: clients, and the server."""
    for fault in nemesis.faults:
        yield from nemesis.clients if fault.many else fault.named
