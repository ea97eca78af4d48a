"""Who must be there when somebody does something: the actor online, the server up."""

from __future__ import annotations

from harness.model.faults import SERVER
from harness.verbs.problem import Place, Problem
from harness.verbs.scope import Scope


def check_online(scope: Scope, name: str, where: str, deed: str, *, refused: bool = False) -> None:
    """Report that a client is not online at this step, and so cannot do something.

    Args:
        scope: what is known at this step.
        name: the client.
        where: the pointer of its name in the step.
        deed: what it cannot do: `send`.
        refused: whether the step must be refused: then one whose connect was refused may try.
    """
    if not scope.is_offline(name):
        return
    if name in scope.refused and refused:
        return  # its process runs; it is refused once more
    if name in scope.left:
        gone = scope.pointers[scope.left[name]]
        label = f"went offline on line {scope.line(gone)}"
        related: tuple[Place, ...] = (Place(gone, "went offline here", on_key=True),)
    else:
        label, related = f"`connect: {name}` must come before", ()
    scope.report(
        Problem(
            code="not-online",
            pointer=where,
            message=f"{name} is not online at this step, and cannot {deed}",
            label=label,
            related=related,
        )
    )


def check_answered(scope: Scope, where: str) -> None:
    """Warn of a send that must end ok and that no server is there to answer; once for each fault.

    Args:
        scope: what is known at this step.
        where: the pointer of what is sent.
    """
    down = scope.dead.get(SERVER, scope.frozen.get(SERVER))
    if down is None or SERVER in scope.unsure or down in scope.unserved:
        return
    scope.unserved.add(down)
    dead = SERVER in scope.dead
    scope.never_true(
        where,
        f"the server {'does not run' if dead else 'stands still'} at this step, so nobody answers this send",
        f"`{'start' if dead else 'resume'}: {SERVER}` before it, or `outcome: any`",
        Place(scope.pointers[down], "since this step", on_key=True),
    )
