"""`poll: NAMES`: read once, by hand, until caught up with all that was answered before."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.model.actions import InboxItem, Poll
from harness.model.steps import Step
from harness.verbs.declared import Message
from harness.verbs.items import ITEMS_SCHEMA, read_inbox_items
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import NAMES, NS_PER_S, Item, Kind
from harness.verbs.phrases import names
from harness.verbs.presence import check_online
from harness.verbs.problem import Place, Problem
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle, together
from harness.verbs.verb import Verb

_ITEMS: Kind[Any] = Kind(lambda value: value, ITEMS_SCHEMA)


@dataclass(frozen=True, kw_only=True)
class PollKeys(RefusableKeys):
    """The keys of `poll`."""

    poll: Sequence[Item] = key(NAMES, "Who reads: clients with `receive: manual`.")
    gets: Any = key(
        _ITEMS,
        "Exactly what this poll returns, in order: ids, `line.*`, or `[]` for nothing new.",
        default=None,
    )


def _compile(keys: PollKeys, scope: Scope, pointer: str) -> Poll | None:
    who = scope.names(keys.poll, f"{pointer}/poll")
    refused = "refused" in keys.given
    for name, where in who:
        check_online(scope, name, where, "poll", refused=refused)
        if scope.clients[name].receive != "manual":
            _not_by_hand(scope, name, where)
    if refused and "gets" in keys.given:
        scope.report(
            Problem(
                code="contradiction",
                pointer=f"{pointer}/gets",
                message="a poll that is refused gets nothing",
                label="remove `gets`",
                on_key=True,
                related=(Place(f"{pointer}/refused", "said here", on_key=True),),
            )
        )
    items: list[InboxItem] | None = None
    if "gets" in keys.given:
        items = read_inbox_items(keys.gets, f"{pointer}/gets", scope, None)
    if not who:
        return None
    for name, _ in who if not refused else ():
        _read(scope, name, items, pointer)
    return Poll(who=tuple(name for name, _ in who), gets=None if items is None else tuple(items))


def _not_by_hand(scope: Scope, name: str, where: str) -> None:
    how = "is pushed what is new" if scope.clients[name].receive == "stream" else "polls by itself"
    scope.report(
        Problem(
            code="contradiction",
            pointer=where,
            message=f"{name} {how}, and has no poll steps",
            label=f"`receive: manual` for {name}, or `expect` instead",
        )
    )


def _read(scope: Scope, name: str, items: list[InboxItem] | None, pointer: str) -> None:
    """Take note of what the poll brings, and warn of `gets` that a good server cannot fulfil."""
    due = {message.id: message for message in scope.messages.values() if _comes(scope, name, message)}
    where = {
        id_: item.pointer
        for item in items or ()
        for ids in item.series
        for id_ in ids
        if len(item.series) == 1 or not scope.is_own(name, scope.messages[id_])
    }
    if items is not None and scope.members_known and scope.presence_known:
        for id_, at in where.items():
            if id_ not in due:
                _warn(scope, name, scope.messages[id_], at)
        for id_, message in due.items():
            if id_ not in where and message.certain and (name, id_) not in scope.perhaps_read:
                sent = Place(message.pointer, "sent here", on_key=True)
                scope.never_true(f"{pointer}/gets", f"this poll brings `{id_}` too", f"add `{id_}`", sent)
                break  # one is enough to say what is amiss
    for id_ in (*due, *where):
        scope.received.setdefault((name, id_), f"{pointer}/poll")
    scope.polled[name] = scope.step


def _comes(scope: Scope, name: str, message: Message) -> bool:
    """Whether a message is there to be read, and was not read yet."""
    return (
        not message.impossible
        and not scope.is_own(name, message)
        and scope.is_member(name, message.room)
        and scope.reach(name, message) == "will"
        and ((name, message.id) not in scope.received)
    )


def _warn(scope: Scope, name: str, message: Message, at: str) -> None:
    sent = Place(message.pointer, "sent here", on_key=True)
    if message.impossible:
        scope.never_true(at, f"`{message.id}` must be refused, so no poll brings it", "remove it", sent)
    elif scope.is_own(name, message):
        scope.never_true(
            at, f"{name} sent `{message.id}`, and nobody receives his own message", "remove it", sent
        )
    elif (name, message.id) in scope.received:
        if scope.clients[name].acks == "auto":
            before = Place(scope.received[name, message.id], "received here")
            scope.never_true(at, f"{name} has `{message.id}` already, and gets it once", "remove it", before)
    elif scope.reach(name, message) == "never" or not scope.is_member(name, message.room):
        scope.never_true(
            at, f"{name} cannot see `{message.id}` in {message.room} at this step", "remove it", sent
        )


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Poll)
    several = len(action.who) > 1
    who = names(action.who)
    if step.refused is not None:
        return f"{who} {'try' if several else 'tries'} to poll and must get {step.refused}"
    sentence = f"{who} {'each poll' if several else 'polls'}"
    if action.gets is None:
        return sentence
    what = names(item.written for item in action.gets)
    return f"{sentence} and {'get' if several else 'gets'} {f'exactly {what}' if what else 'nothing new'}"


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Poll)
    settle(step, await together(stage.poll(name, step) for name in action.who))


POLL = Verb(
    name="poll",
    summary="Read once, by hand, without waiting for anything new; done when caught up.",
    keys=PollKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
