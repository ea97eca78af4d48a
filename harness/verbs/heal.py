"""`heal: FAULTS or NAMES`: end faults on the network and on whatever else is no process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.faults import SERVER, Heal
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NAMES, NS_PER_S, Item
from harness.verbs.phrases import listing, names
from harness.verbs.problem import Place, Problem, did_you_mean
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.targets import named, told
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class HealKeys(StepKeys):
    """The keys of `heal`."""

    heal: Sequence[Item] = key(
        NAMES, "Ids of faults; or clients and `server`, for all faults on them. An id comes before a name."
    )


def _compile(keys: HealKeys, scope: Scope, pointer: str) -> Heal | None:
    where = f"{pointer}/heal"
    faults: dict[str, str] = {}
    people: list[Item] = []
    for item in keys.heal:
        fault = scope.faults.get(item.text)
        if fault is None:
            people.append(item)
        elif item.text in faults:
            scope.twice(item.text, where + item.at, faults[item.text])
        elif fault.heals:
            faults[item.text] = where + item.at
        else:
            scope.report(
                _by_other_means(item.text, where + item.at, Place(fault.pointer, "this fault", on_key=True))
            )
    known = [item for item in people if _known(item, scope, where)]
    targets = tuple(name for name, at in named(known, scope, where) if _struck(name, at, scope))
    return Heal(targets=targets, faults=tuple(faults)) if targets or faults else None


def _by_other_means(id_: str, where: str, fault: Place) -> Problem:
    return Problem(
        code="wrong-state",
        pointer=where,
        message=f"`{id_}` is a fault on processes, which `heal` does not end",
        label="`start` them, or `resume` them",
        related=(fault,),
    )


def _known(item: Item, scope: Scope, where: str) -> bool:
    """Report what is neither a fault nor a name, unless it looks like a name or the cast is unknown."""
    if item.text.lower() == SERVER or item.text in scope.clients or ".." in item.text or not scope.cast_known:
        return True
    known = [id_ for id_ in scope.faults if not id_.startswith("@")]
    scope.report(
        Problem(
            code="unknown-fault",
            pointer=where + item.at,
            message=f"`{item.text[:70]}` is neither a fault before this step nor a client",
            label=did_you_mean(item.text, [*known, *scope.clients]),
            help=(f"faults so far: {listing(known)}" if known else "no fault before this step has an `id`",),
        )
    )
    return False


def _struck(name: str, where: str, scope: Scope) -> bool:
    if any(fault.heals and name in fault.targets for fault in scope.faults.values()):
        return True
    everybody = next(
        (fault for fault in scope.faults.values() if fault.heals and SERVER in fault.targets), None
    )
    scope.report(
        Problem(
            code="wrong-state",
            pointer=where,
            message=f"there is nothing to heal on {told((name,))}: no fault before this step names it",
            label="" if everybody is None else f"the one on `{SERVER}` is on everybody: `heal: {SERVER}`",
            related=() if everybody is None else (Place(everybody.pointer, "this fault", on_key=True),),
        )
    )
    return False


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Heal)
    parts = [f"the fault {id_}" for id_ in action.faults]
    if action.targets:
        parts.append(f"every fault on {told(action.targets)}")
    return f"{names(parts)} {'is' if len(parts) == 1 else 'are'} healed"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Heal)
    await stage.heal(step.action, step)


HEAL = Verb(
    name="heal",
    summary="End faults on the network, the disk and single calls; done when that is confirmed.",
    keys=HealKeys,
    within_ns=10 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
