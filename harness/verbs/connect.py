"""`connect: NAMES`: bring clients online."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Connect
from harness.model.steps import Step
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import NAMES, NS_PER_S, Item
from harness.verbs.phrases import names
from harness.verbs.problem import Place, Problem
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle, together
from harness.verbs.targets import wrong_state
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class ConnectKeys(RefusableKeys):
    """The keys of `connect`."""

    connect: Sequence[Item] = key(NAMES, "Who comes online: a name, a list, or a range such as `user-1..30`.")


def _compile(keys: ConnectKeys, scope: Scope, pointer: str) -> Connect | None:
    who = scope.names(keys.connect, f"{pointer}/connect")
    for name, where in who:
        if (killed := scope.dead.get(name)) is not None and name not in scope.unsure:
            scope.report(
                wrong_state(name, "was killed, and has no process", where, scope, killed, f"`start: {name}`")
            )
        elif name in scope.online and scope.presence_known and name not in scope.unsure:
            scope.report(
                Problem(
                    code="already-online",
                    pointer=where,
                    message=f"{name} is online already",
                    label=f"since line {scope.line(scope.pointers[scope.online[name]])}",
                    related=(Place(scope.pointers[scope.online[name]], "came online here", on_key=True),),
                )
            )
        elif "refused" in keys.given:
            scope.refused.add(name)
        else:
            scope.online[name] = scope.step
    return Connect(who=tuple(name for name, _ in who)) if who else None


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Connect)
    who = names(step.action.who)
    if step.refused is not None:
        return f"{who} {'try' if len(step.action.who) > 1 else 'tries'} to come online and must get {step.refused}"
    return f"{who} {'come' if len(step.action.who) > 1 else 'comes'} online"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Connect)
    settle(step, await together(stage.connect(name, step) for name in step.action.who))


CONNECT = Verb(
    name="connect",
    summary="Bring clients online; done when all are ready to receive.",
    keys=ConnectKeys,
    within_ns=10 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
