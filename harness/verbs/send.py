"""`send: TEXT`: one message, or a series of them, by one client or by several at once."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.model.actions import Outcome, Send
from harness.model.steps import Step
from harness.verbs.ids import id_by_place, id_is_new
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import COUNT, DURATION, MESSAGE_ID, NAMES, NS_PER_S, ROOM, TEXT, Item, one_of
from harness.verbs.phrases import duration, names, quote
from harness.verbs.presence import check_answered, check_online
from harness.verbs.problem import Place, Problem
from harness.verbs.scope import Scope
from harness.verbs.stage import Answer, Stage, StepFailedError, settle, together
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class SendKeys(RefusableKeys):
    """The keys of `send`."""

    send: str = key(TEXT, "The text of the message; `${n}` is its number in a series.")
    from_: Sequence[Item] = key(NAMES, "Who sends; several names send at once, each a message of its own.")
    to: str | None = key(ROOM, "The room; may be left out when the scenario has exactly one.", default=None)
    id: str | None = key(
        MESSAGE_ID,
        "A name for the message. With `repeat: 3` its messages are ID.1 to ID.3; with several senders, ID.NAME.",
        default=None,
    )
    repeat: int | None = key(
        COUNT,
        "Send a series of so many messages, one after the other; `within` is the deadline of each.",
        default=None,
    )
    every: int | None = key(
        DURATION, "Pace of a series: the next one starts this long after the last started, at the earliest.",
        default=None,
    )  # fmt: skip
    outcome: Outcome = key(
        one_of("ok", "any", "none"),
        "How it must end: `ok`, `any` (it may fail, or stay unknown), or `none` (anything but ok).",
        default="ok",
    )


def _compile(keys: SendKeys, scope: Scope, pointer: str) -> Send | None:
    senders = scope.names(keys.from_, f"{pointer}/from")
    room = scope.room_of(keys.to, pointer)
    _check_words(keys, scope, pointer)
    for name, where in senders:
        check_online(scope, name, where, "send", refused="refused" in keys.given)
    if keys.outcome == "ok" and "refused" not in keys.given:
        check_answered(scope, f"{pointer}/send")
    id_ = keys.id or id_by_place(scope, pointer)
    if not id_is_new(scope, id_, pointer):
        return None
    if not senders or room is None or keys.broken & {"from", "repeat"}:
        return None
    action = Send(
        senders=tuple(name for name, _ in senders),
        room=room,
        text=keys.send,
        id=id_,
        outcome=keys.outcome,
        repeat=keys.repeat,
        every_ns=keys.every or 0,
    )
    scope.sent(action, pointer, refused="refused" in keys.given)
    for name, where in senders:
        if (
            scope.members_known
            and not scope.is_member(name, room)
            and "refused" not in keys.given
            and keys.outcome == "ok"
        ):
            scope.never_true(
                where,
                f"{name} is not in {room}, so this send will be refused",
                f"add {name} to {room}, or `refused: PERMISSION_DENIED`",
            )
        elif (
            room in scope.rooms
            and scope.clients[name].user in scope.rooms[room].readers
            and "refused" not in keys.given
            and keys.outcome == "ok"
        ):
            scope.never_true(
                where,
                f"{name} only reads in {room}, so this send will be refused",
                "`refused: PERMISSION_DENIED`",
            )
    return action


def _check_words(keys: SendKeys, scope: Scope, pointer: str) -> None:
    if keys.every is not None and "repeat" not in keys.given:
        scope.report(
            Problem(
                code="contradiction",
                pointer=f"{pointer}/every",
                message="`every` is the pace of a series, and this step sends one message",
                label="add `repeat`, or use `after` for a pause",
                on_key=True,
            )
        )
    if "refused" in keys.given and "outcome" in keys.given:
        scope.report(
            Problem(
                code="contradiction",
                pointer=f"{pointer}/outcome",
                message="`refused` says already how this send must end",
                label="remove `outcome`",
                on_key=True,
                related=(Place(f"{pointer}/refused", "said here", on_key=True),),
            )
        )
    if "${n}" in keys.send and "repeat" not in keys.given:
        scope.report(
            Problem(
                code="unknown-variable",
                pointer=f"{pointer}/send",
                message="`${n}` is the number in a series, and this step sends one message",
                label="add `repeat`",
            )
        )


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Send)
    several = len(action.senders) > 1
    verb = "together say" if several else "says"
    sentence = f"{names(action.senders)} {verb} {quote(action.text)} in {action.room}"
    if action.repeat is not None:
        sentence += f", {action.repeat} times" if action.repeat != 1 else ", once"
        if action.every_ns:
            sentence += f", one every {duration(action.every_ns)}"
    if step.refused is not None:
        return f"{sentence}, and must get {step.refused}"
    if action.outcome == "any":
        return f"{sentence}, which may fail"
    if action.outcome == "none":
        return f"{sentence}, which must not succeed"
    return sentence


def _turns(action: Send) -> Iterator[list[tuple[str, str, str]]]:
    """Yield what is sent at once: one message a sender."""
    turn: list[tuple[str, str, str]] = []
    for message in action.messages():
        turn.append(message)
        if len(turn) == len(action.senders):
            yield turn
            turn = []


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Send)
    start = stage.now()
    for number, turn in enumerate(_turns(action)):
        if number and action.every_ns:
            start = await stage.pause_until_next(start, action.every_ns)
        answers = await together(
            stage.send(sender, action.room, message, text, step) for sender, message, text in turn
        )
        settle_send(step, action.outcome, answers)


def settle_send(step: Step, outcome: Outcome, answers: Iterable[Answer]) -> None:
    """Compare how sends ended with what the step says.

    Raises:
        StepFailedError: one ended as it must not.
    """
    if step.refused is not None or outcome == "ok":
        settle(step, answers)
    elif outcome == "none":
        for answer in answers:
            if answer.type == "ok":
                raise StepFailedError(f"{answer.process}: the send succeeded, though `outcome: none` is said")


SEND = Verb(
    name="send",
    summary="Send one message, or a series; done when the last one is answered.",
    keys=SendKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
