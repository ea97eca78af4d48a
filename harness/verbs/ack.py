"""`ack: NAMES`: acknowledge by hand what was received."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Ack
from harness.model.steps import Step
from harness.verbs.declared import Message
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import NAME, NAMES, NS_PER_S, Item
from harness.verbs.phrases import names
from harness.verbs.presence import check_online
from harness.verbs.problem import Place, Problem
from harness.verbs.references import resolve
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle, together
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class AckKeys(RefusableKeys):
    """The keys of `ack`."""

    ack: Sequence[Item] = key(NAMES, "Who acknowledges: clients with `acks: manual`.")
    through: str | None = key(
        NAME,
        "The id of the last message acknowledged; everything received so far unless given.",
        default=None,
    )


def _compile(keys: AckKeys, scope: Scope, pointer: str) -> Ack | None:
    who = scope.names(keys.ack, f"{pointer}/ack")
    message: Message | None = None
    if keys.through is not None:
        message = _message(keys.through, scope, f"{pointer}/through")
    refused = "refused" in keys.given
    for name, where in who:
        check_online(scope, name, where, "acknowledge", refused=refused)
        if scope.clients[name].acks != "manual":
            scope.report(
                Problem(
                    code="contradiction",
                    pointer=where,
                    message=f"{name} acknowledges by itself",
                    label=f"`acks: manual` for {name}",
                )
            )
        elif message is not None and not refused:
            _check(name, message, scope, f"{pointer}/through")
    if not who or (keys.through is not None and message is None):
        return None
    return Ack(who=tuple(name for name, _ in who), through=keys.through)


def _message(written: str, scope: Scope, pointer: str) -> Message | None:
    series = resolve(scope, written, pointer)
    if series is None:
        return None
    ids = [id_ for part in series for id_ in part]
    if len(ids) > 1:
        scope.report(
            Problem(
                code="contradiction",
                pointer=pointer,
                message=f"`{written}` is several messages, and an acknowledgement goes through one",
                label=f"write `{series[0][-1]}`",
            )
        )
        return None
    return scope.messages[ids[0]]


def _check(name: str, message: Message, scope: Scope, where: str) -> None:
    if scope.is_own(name, message) or scope.reach(name, message) == "never":
        sent = Place(message.pointer, "sent here", on_key=True)
        scope.never_true(where, f"{name} does not receive `{message.id}`", "name one that he receives", sent)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Ack)
    several = len(action.who) > 1
    what = f"through {action.through}" if action.through is not None else "all received so far"
    if step.refused is not None:
        tries = "try" if several else "tries"
        return f"{names(action.who)} {tries} to acknowledge {what} and must get {step.refused}"
    return f"{names(action.who)} {'acknowledge' if several else 'acknowledges'} {what}"


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Ack)
    settle(step, await together(stage.ack(name, action.through, step) for name in action.who))


ACK = Verb(
    name="ack",
    summary="Acknowledge by hand; done when the server has answered.",
    keys=AckKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
