"""From verdicts to the status of a run.

fail if anything fails; unknown if a fence or audit that a judgement needs is missing, a checker crashed, an
assumption about the history is broken, a required invariant had no occasion, or no message was acknowledged
and judged at all; else pass. `not exercised` and `not applicable` alone never change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.judge.evidence import NOT_CONNECTED, silence
from harness.judge.messages import NEVER, Message
from harness.judge.state import State
from harness.model.gravity import certain
from harness.model.plan import Plan
from harness.model.verdict import FAMILIES, Judgement, RunStatus, Status, Verdict


def conclude(plan: Plan, state: State, verdicts: Sequence[Verdict]) -> Judgement:
    """Return all verdicts, with those about the run as a whole, and what follows from them."""
    every = [*verdicts, *_about_the_run(plan, state, verdicts)]
    if failed := [verdict for verdict in every if verdict.status is Status.FAIL]:
        told = certain(failed)
        reason = told[0][1].sentence if told else failed[0].reason
        return Judgement(status=RunStatus.FAIL, reason=reason, verdicts=tuple(every))
    for verdict in every:
        if verdict.status is Status.UNKNOWN:
            # What is said of the run as a whole is a sentence for itself.
            reason = verdict.reason if verdict.group == "run" else f"{verdict.name}: {verdict.reason}"
            return Judgement(status=RunStatus.UNKNOWN, reason=reason, verdicts=tuple(every))
    return Judgement(status=RunStatus.PASS, verdicts=tuple(every))


def _about_the_run(plan: Plan, state: State, verdicts: Sequence[Verdict]) -> Iterable[Verdict]:
    broken = state.assumptions.broken
    if broken:
        more = f" (and {state.assumptions.count - 1} more)" if state.assumptions.count > 1 else ""
        yield _unknown("assumptions", f"the history is not what the judge takes it for: {broken[0]}{more}")
    by_name = {verdict.name: verdict for verdict in verdicts if verdict.group == "invariant"}
    for name in plan.required:
        family = name if name in FAMILIES else _family_of(name)
        if family not in by_name or by_name[family].status not in (Status.NOT_EXERCISED, Status.PASS):
            continue
        if by_name[family].status is Status.NOT_EXERCISED:
            yield _unknown(f"required {name}", f"{name} is required, and {by_name[family].reason}")
        elif by_name[family].occasions.get(name, 1) == 0:
            yield _unknown(f"required {name}", f"{name} is required, and nothing gave an occasion for it")
    for f, open_ in (("script", "the final phase never began"), ("final", "the final phase never ended")):
        ends = [op.type for op in state.lives if op.f == f]
        if ends and (ends[-1] == "invoke" if f == "final" else state.final_at < 0):
            yield _unknown("final", open_)
    if not _anything_judged(state):
        yield _unknown(
            "judged",
            "nothing shows that the server delivers: no message was acknowledged by it and then seen by somebody, "
            "or kept from an outsider. A `send` and an `expect` of it are enough",
        )


def _family_of(kind: str) -> str | None:
    return next((family for family, kinds in FAMILIES.items() if kind in kinds), None)


def _anything_judged(state: State) -> bool:
    """Whether some message was acknowledged, and somebody saw it or an outsider was shown not to hear it."""
    return any(
        message.acknowledged
        and not state.sentinel(message)
        and (message.seen_at != NEVER or _kept_from_outsiders(state, message))
        for message in state.messages.all.values()
    )


def _kept_from_outsiders(state: State, message: Message) -> bool:
    outsiders = (
        client
        for client in state.clients.values()
        if not state.members.stays(client.reader.user, message.room)
    )
    return any(
        shown is not None and shown[1] != NOT_CONNECTED
        for shown in (silence(client, message) for client in outsiders)
    )


def _unknown(name: str, reason: str) -> Verdict:
    return Verdict(name=name, group="run", status=Status.UNKNOWN, reason=reason)
