"""`expect: IDS`: who must, and who must not, have received messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Expect
from harness.model.steps import Step
from harness.verbs.declared import Message
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import MESSAGES, NAMES, NS_PER_S, Item
from harness.verbs.phrases import duration, names
from harness.verbs.problem import Place, Problem
from harness.verbs.references import resolve
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class ExpectKeys(StepKeys):
    """The keys of `expect`."""

    expect: Sequence[Item] = key(MESSAGES, "The id of a message, `line.*` for a whole series, or a list.")
    received_by: Sequence[Item] = key(NAMES, "Who must have received it within the deadline.", default=())
    not_by: Sequence[Item] = key(NAMES, "Who must not have received it.", default=())


def _compile(keys: ExpectKeys, scope: Scope, pointer: str) -> Expect | None:
    received = scope.names(keys.received_by, f"{pointer}/received_by")
    barred = scope.names(keys.not_by, f"{pointer}/not_by")
    ids = _ids(keys, scope, pointer)
    _check_said(keys, scope, pointer)
    both = dict(received)
    for name, where in barred:
        if name in both:
            scope.report(
                Problem(
                    code="contradiction",
                    pointer=where,
                    message=f"{name} cannot both receive it and not receive it",
                    label="remove one of the two",
                    related=(Place(both[name], "must receive it"),),
                )
            )
    if not ids:
        return None
    for id_ in ids:
        message = scope.messages[id_]
        for name, where in received:
            _check_received(name, message, scope, where)
        for name, where in barred:
            _check_barred(name, message, scope, where)
    return Expect(
        ids=ids,
        written=", ".join(item.text for item in keys.expect),
        received_by=tuple(both),
        not_by=tuple(name for name, _ in barred),
    )


def _ids(keys: ExpectKeys, scope: Scope, pointer: str) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for item in keys.expect:
        where = f"{pointer}/expect{item.at}"
        for series in resolve(scope, item.text, where) or ():
            for id_ in series:
                if found.setdefault(id_, where) != where:
                    scope.report(
                        Problem(
                            code="listed-twice",
                            pointer=where,
                            message=f"`{id_}` stands here twice",
                            label="remove one",
                            related=(Place(found[id_], "first here"),),
                        )
                    )
                    break
    scope.spots.update({f"{pointer}/expect/{index}": where for index, where in enumerate(found.values())})
    return tuple(found)


def _check_said(keys: ExpectKeys, scope: Scope, pointer: str) -> None:
    if keys.broken:
        return
    if not keys.expect:
        scope.report(
            Problem(
                code="says-nothing",
                pointer=f"{pointer}/expect",
                message="this `expect` names no message",
                label="write the id of a message",
            )
        )
    elif not keys.given & {"received_by", "not_by"}:
        scope.report(
            Problem(
                code="missing-key",
                pointer=pointer,
                message="`expect` needs `received_by` or `not_by`",
                label="who must receive it, or who must not?",
                on_key=True,
            )
        )
    elif not keys.received_by and not keys.not_by:
        scope.report(
            Problem(
                code="says-nothing",
                severity="warning",
                pointer=pointer,
                message="this `expect` names nobody, so it says nothing",
                label="name somebody, or remove the step",
                on_key=True,
            )
        )


def _check_received(name: str, message: Message, scope: Scope, where: str) -> None:
    """Warn where no correct server could fulfil it; the statement is played all the same, and fails."""
    sent = Place(message.pointer, "sent here", on_key=True)
    if message.impossible:
        scope.never_true(where, f"`{message.id}` must be refused, so {name} cannot receive it", "", sent)
    elif scope.is_own(name, message):
        scope.never_true(
            where,
            f"{name} sent `{message.id}`, and nobody receives his own message",
            "move it to `not_by`",
            sent,
        )
    elif scope.reach(name, message) == "never":
        scope.never_true(
            where,
            f"{name} is not in {message.room}, where `{message.id}` is sent",
            "move it to `not_by`",
            sent,
        )
    elif scope.clients[name].receive == "manual":
        if scope.polled.get(name, -1) < message.step:
            scope.never_true(
                where,
                f"{name} reads by hand, and does not between `{message.id}` and this step",
                f"`poll: {name}` before it",
                sent,
            )
    elif scope.is_offline(name) and scope.left.get(name, -1) < message.step:
        scope.never_true(
            where,
            f"{name} is not online between `{message.id}` and this step",
            f"`connect: {name}` before it",
            sent,
        )
    if scope.clients[name].receive != "manual":  # what a manual client has, its polls alone decide
        scope.received.setdefault((name, message.id), where)


def _check_barred(name: str, message: Message, scope: Scope, where: str) -> None:
    # The other way round is no contradiction: a `not_by` is true as long as the message has not arrived.
    demanded = scope.received.get((name, message.id))
    if demanded is not None and not demanded.startswith(f"{scope.pointers[scope.step]}/"):
        scope.never_true(
            where,
            f"{name} must have received `{message.id}` before this step",
            "remove one of the two",
            Place(demanded, "demanded here"),
        )


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Expect)
    parts = []
    if action.received_by:
        parts.append(f"must reach {names(action.received_by)} within {duration(step.within_ns)}")
    if action.not_by:
        parts.append(
            f"{'' if parts else 'must '}never {'' if parts else 'reach '}{names(action.not_by, 'or')}"
        )
    what = names(action.written.split(", "))
    return f"{what} {', and '.join(parts) or 'may reach anybody'}"


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Expect)
    # A failed expectation is in the history, and play goes on: the judge speaks about it, not the script.
    await stage.expect(action.ids, action.received_by, action.not_by, step)


EXPECT = Verb(
    name="expect",
    summary="Say who must, and who must not, have received a message; done when fulfilled or overdue.",
    keys=ExpectKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
