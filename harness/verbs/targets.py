"""What the verbs that act on processes have in common: who can be meant, and what state they must be in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.model.faults import SERVER
from harness.verbs.declared import Fault
from harness.verbs.ids import id_is_new
from harness.verbs.kinds import (
    DURATION,
    MESSAGE_ID,
    NAMES,
    BadValueError,
    Item,
    Kind,
    read_duration,
    read_name,
)
from harness.verbs.phrases import names
from harness.verbs.problem import Place, Problem
from harness.verbs.scope import Scope


def _read_length(value: object) -> int:
    ns = read_duration(value)
    if ns == 0:
        raise BadValueError("a fault must last longer than nothing", code="bad-duration")
    return ns


#: The names of a process fault.
TARGETS: Kind[Sequence[Item]] = NAMES
LENGTH: Kind[int] = Kind(_read_length, DURATION.schema)
FAULT_ID: Kind[str] = Kind(lambda value: read_name(value, "a fault"), MESSAGE_ID.schema)


def wrong_state(
    name: str, why: str, where: str, scope: Scope, since: int | None = None, remedy: str = ""
) -> Problem:
    """Return the problem of an act that the state of a process does not allow."""
    there = () if since is None else (Place(scope.pointers[since], "since this step", on_key=True),)
    return Problem(
        code="wrong-state",
        pointer=where,
        message=f"{'the server' if name == SERVER else name} {why} at this step",
        label=remedy,
        related=there,
    )


def named(items: Sequence[Item], scope: Scope, pointer: str) -> list[tuple[str, str]]:
    """Expand what a fault names: clients as in `names`, and `server`."""
    for item in items:
        if item.text != SERVER and item.text.lower() == SERVER and item.text not in scope.clients:
            scope.report(
                Problem(
                    code="unknown-client",
                    pointer=pointer + item.at,
                    message=f"no client is called `{item.text}`",
                    label=f"did you mean `{SERVER}`?",
                )
            )
    items = [item for item in items if item.text.lower() != SERVER or item.text in (SERVER, *scope.clients)]
    server = [item for item in items if item.text == SERVER]
    found = dict(scope.names([item for item in items if item.text != SERVER], pointer))
    if server:
        found[SERVER] = pointer + server[0].at
    for again in server[1:]:
        scope.twice(SERVER, pointer + again.at, found[SERVER])
    scope.spots.update({f"{pointer}/{index}": where for index, where in enumerate(found.values())})
    return list(found.items())


def check(
    who: Sequence[tuple[str, str]], scope: Scope, fault: Callable[[str, str], Problem | None]
) -> tuple[str, ...]:
    """Report what stands against an act on each of these, as far as their state is known.

    Returns:
        The names of which nothing was reported, `server` first: so it goes for whatever starts, and it does no
        harm elsewhere.
    """
    good = []
    for name, where in who:
        problem = None
        if name not in scope.unsure and (scope.presence_known or name == SERVER):
            problem = fault(name, where)
        if problem is None:
            good.append(name)
        else:
            scope.report(problem)
    return tuple(sorted(good, key=lambda name: name != SERVER))


def must_run(scope: Scope) -> Callable[[str, str], Problem | None]:
    """Return the check that a process runs."""

    def fault(name: str, where: str) -> Problem | None:
        if name in scope.dead:
            remedy = f"`start: {name}` must come before"
            return wrong_state(name, "does not run", where, scope, scope.dead[name], remedy)
        if name != SERVER and name not in scope.online and name not in scope.left:
            return wrong_state(
                name, "has no process", where, scope, None, f"`connect: {name}` must come before"
            )
        return None

    return fault


def begin(scope: Scope, id_: str, pointer: str, targets: tuple[str, ...], *, ends: bool) -> bool:
    """Take note of a fault that begins; False after reporting that its id is taken."""
    if not id_is_new(scope, id_, pointer):
        return False
    scope.faults[id_] = Fault(pointer, targets, ends)
    return True


def go_down(scope: Scope, targets: tuple[str, ...], *, ends: bool) -> None:
    """Take note that these have no process any more; with `ends`, that nobody can say for how long."""
    for name in targets:
        scope.frozen.pop(name, None)
        if scope.online.pop(name, None) is not None:
            scope.left[name] = scope.step
        if ends:
            scope.unsure.add(name)
        else:
            scope.dead[name] = scope.step


def come_up(scope: Scope, targets: tuple[str, ...]) -> None:
    """Take note that these run again, and that clients among them are connected."""
    for name in targets:
        scope.unsure.discard(name)
        scope.dead.pop(name, None)
        scope.frozen.pop(name, None)
        if name != SERVER:
            scope.online[name] = scope.step


def told(targets: tuple[str, ...], last: str = "and") -> str:
    """Return the targets for a sentence: `the server and bob`."""
    return names(("the server" if name == SERVER else name for name in targets), last)
