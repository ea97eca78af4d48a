"""Which messages the `when` of each step means.

Checked when the whole script is known, because a lane may wait for another that stands below it.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.steps import Step, meant, walk
from harness.verbs.phrases import listing
from harness.verbs.problem import Place, Problem, did_you_mean, other_lane
from harness.verbs.scope import Scope
from harness.verbs.when import too_many


def check_triggers(steps: Sequence[Step], scope: Scope) -> None:
    """Report what no step can ever see."""
    numbers = {pointer: number for number, pointer in enumerate(scope.pointers)}
    for step in walk(steps):
        if step.when is None:
            continue
        where = f"{step.pointer}/when"
        ids = meant(step.when.written, scope.messages)
        if not ids:
            _unknown(step.when.written, scope, f"{where}/{step.when.sight}")
            continue
        first = min((scope.messages[id_] for id_ in ids), key=lambda message: message.step)
        sent = Place(first.pointer, "sent here", on_key=True)
        if first.step >= numbers[step.pointer] and not other_lane(first.pointer, step.pointer):
            scope.report(
                Problem(
                    code="message-not-yet",
                    pointer=f"{where}/{step.when.sight}",
                    message=f"`{step.when.written}` is not sent before this step, so it would wait for ever",
                    label="wait for what comes before, or in another lane",
                    related=(sent,),
                )
            )
        elif step.when.count is not None and step.when.count > len(ids):
            scope.report(too_many(step.when, len(ids), where, sent))


def _unknown(written: str, scope: Scope, where: str) -> None:
    if written.partition(".")[0] in scope.declared and written not in scope.faults:
        return  # its step has faults of its own
    fault = scope.faults.get(written)
    known = [id_ for id_ in scope.declared if id_ not in scope.faults]
    scope.report(
        Problem(
            code="unknown-message",
            pointer=where,
            message=f"no message has the id `{written[:70]}`" if fault is None else f"`{written}` is a fault",
            label=did_you_mean(written, known) if fault is None else f"`wait: {written}` waits for its end",
            help=(f"ids: {listing(known)}" if known else "no message has an `id`",),
        )
    )
