"""`disconnect: NAMES`: take clients offline; their processes live on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Disconnect
from harness.model.steps import Step
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import NAMES, NS_PER_S, Item
from harness.verbs.phrases import names
from harness.verbs.problem import Problem
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle, together
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class DisconnectKeys(RefusableKeys):
    """The keys of `disconnect`."""

    disconnect: Sequence[Item] = key(
        NAMES, "Who goes offline: a name, a list, or a range such as `user-1..30`."
    )


def _compile(keys: DisconnectKeys, scope: Scope, pointer: str) -> Disconnect | None:
    who = scope.names(keys.disconnect, f"{pointer}/disconnect")
    for name, where in who:
        if scope.is_offline(name):
            scope.report(
                Problem(
                    code="not-online",
                    pointer=where,
                    message=f"{name} is not online at this step",
                    label=f"`connect: {name}` must come before",
                )
            )
        elif "refused" not in keys.given and scope.online.pop(name, None) is not None:
            scope.left[name] = scope.step
    return Disconnect(who=tuple(name for name, _ in who)) if who else None


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Disconnect)
    several = len(step.action.who) > 1
    if step.refused is not None:
        return f"{names(step.action.who)} {'try' if several else 'tries'} to go offline and must get {step.refused}"
    return f"{names(step.action.who)} {'go' if several else 'goes'} offline"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Disconnect)
    settle(step, await together(stage.disconnect(name, step) for name in step.action.who))


DISCONNECT = Verb(
    name="disconnect",
    summary="Take clients offline; their processes live on.",
    keys=DisconnectKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
