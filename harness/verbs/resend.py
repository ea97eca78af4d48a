"""`resend: ID`: send a message again under the same client message id."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Outcome, Resend
from harness.model.steps import Step
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import MESSAGES, NS_PER_S, Item, one_of
from harness.verbs.phrases import names
from harness.verbs.presence import check_online
from harness.verbs.problem import Place, Problem
from harness.verbs.references import resolve
from harness.verbs.scope import Scope
from harness.verbs.send import settle_send
from harness.verbs.stage import Stage, together
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class ResendKeys(RefusableKeys):
    """The keys of `resend`."""

    resend: Sequence[Item] = key(
        MESSAGES, "The id of a message, `line.*` for a whole series, or a list; its sender sends it again."
    )
    outcome: Outcome = key(
        one_of("ok", "any", "none"),
        "How it must end: `ok`, `any` (it may fail, or stay unknown), or `none` (anything but ok).",
        default="ok",
    )


def _compile(keys: ResendKeys, scope: Scope, pointer: str) -> Resend | None:
    found: dict[str, str] = {}
    for item in keys.resend:
        where = f"{pointer}/resend{item.at}"
        for series in resolve(scope, item.text, where) or ():
            found.update((id_, where) for id_ in series)
    refused = "refused" in keys.given
    if refused and "outcome" in keys.given:
        scope.report(
            Problem(
                code="contradiction",
                pointer=f"{pointer}/outcome",
                message="`refused` says already how this must end",
                label="remove `outcome`",
                on_key=True,
                related=(Place(f"{pointer}/refused", "said here", on_key=True),),
            )
        )
    if not keys.resend and not keys.broken:
        scope.report(
            Problem(
                code="says-nothing",
                pointer=f"{pointer}/resend",
                message="this `resend` names no message",
                label="write the id of a message",
            )
        )
    asked: set[str] = set()
    for id_, where in found.items():
        sender = scope.messages[id_].sender
        if sender not in asked:
            asked.add(sender)
            check_online(scope, sender, where, "send", refused=refused)
        if not refused and keys.outcome == "ok":
            # One that was refused, or is unknown, exists from here on.
            scope.messages[id_] = dataclasses.replace(scope.messages[id_], certain=True, impossible=False)
    if not found:
        return None
    return Resend(
        ids=tuple(found),
        senders=tuple(scope.messages[id_].sender for id_ in found),
        written=", ".join(item.text for item in keys.resend),
        outcome=keys.outcome,
    )


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Resend)
    who = tuple(dict.fromkeys(action.senders))
    what = names(action.written.split(", "))
    sentence = f"{names(who)} {'send' if len(who) > 1 else 'sends'} {what} again"
    if step.refused is not None:
        return f"{sentence}, and must get {step.refused}"
    if action.outcome == "any":
        return f"{sentence}, which may fail"
    if action.outcome == "none":
        return f"{sentence}, which must not succeed"
    return sentence


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Resend)
    settle_send(step, action.outcome, await together(stage.resend(id_, step) for id_ in action.ids))


RESEND = Verb(
    name="resend",
    summary="Send a message again under the same client message id; done when it is answered.",
    keys=ResendKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
