"""Which messages an id means that a step refers to, and what is said when it means none."""

from __future__ import annotations

from harness.verbs.declared import Series
from harness.verbs.phrases import count, listing
from harness.verbs.problem import Place, Problem, did_you_mean, other_lane
from harness.verbs.scope import Scope


def resolve(scope: Scope, written: str, pointer: str) -> tuple[tuple[str, ...], ...] | None:
    """Return the messages that `hello`, `line.2` or `line.*` means; one tuple a sender.

    None when there are none: then it was reported, or an earlier fault is to blame.
    """
    if written in scope.messages:
        return ((written,),)
    base, dot, rest = written.partition(".")
    if base not in scope.series and base in scope.bases and (lane := other_lane(scope.bases[base], pointer)):
        scope.report(
            Problem(
                code="message-not-yet",
                pointer=pointer,
                message=f"`{base}` is sent in the lane `{lane}`, at the same time as this step",
                label="speak of it in that lane, or after the `parallel`",
                related=(Place(f"{scope.bases[base]}/id", "given here"),),
            )
        )
        return None
    if base in scope.faults:
        scope.report(
            Problem(
                code="unknown-message",
                pointer=pointer,
                message=f"`{base}` is a fault, not a message",
                label="write the id of a message",
                related=(Place(scope.faults[base].pointer, "this fault", on_key=True),),
            )
        )
        return None
    if base in scope.series:
        series = scope.series[base]
        if rest == "*":
            return tuple(series.by_sender.values())
        sender, star = rest[:-2], rest[-2:]
        if star == ".*" and len(series.by_sender) > 1 and sender in series.by_sender:
            return (series.by_sender[sender],)
        _not_in_series(scope, written, base, rest, series, pointer)
    elif base in scope.bases and dot:
        _unknown_message(
            scope,
            pointer,
            f"`{base}` is one message, not a series",
            f"write `{base}`, or give its step a `repeat`",
            base,
        )
    elif base in scope.declared:
        if scope.declared[base] >= scope.step:
            _too_early(scope, base, pointer)
    else:
        known = [id_ for id_, step in scope.declared.items() if step < scope.step]
        so_far = f"ids so far: {listing(known)}" if known else "no message before this place has an `id`"
        scope.report(
            Problem(
                code="unknown-message",
                pointer=pointer,
                message=f"no message has the id `{written[:70]}`",
                label=did_you_mean(written, [*scope.declared, *(f"{id_}.*" for id_ in scope.series)]),
                help=(so_far,),
            )
        )
    return None


def _too_early(scope: Scope, base: str, pointer: str) -> None:
    step = scope.pointers[scope.declared[base]]
    scope.report(
        Problem(
            code="message-not-yet",
            pointer=pointer,
            message=f"`{base}` is not sent before this step",
            label=f"it is sent on line {scope.line(step)}"
            if scope.declared[base] != scope.step
            else "it is this step's own id",
            related=(Place(f"{step}/id", "given here"),) if scope.declared[base] != scope.step else (),
        )
    )


def _not_in_series(scope: Scope, written: str, base: str, rest: str, series: Series, pointer: str) -> None:
    ids = series.ids
    shape = f"`{base}` is a series of {count(len(ids), 'message')}: {listing(ids)}"
    if not rest:
        _unknown_message(scope, pointer, shape, f"write `{base}.*` for all of them", base)
    else:
        _unknown_message(scope, pointer, f"no message has the id `{written[:70]}`", shape, base)


def _unknown_message(scope: Scope, pointer: str, message: str, label: str, base: str) -> None:
    scope.report(
        Problem(
            code="unknown-message",
            pointer=pointer,
            message=message,
            label=label,
            related=(Place(f"{scope.bases[base]}/id", "given here"),),
        )
    )
