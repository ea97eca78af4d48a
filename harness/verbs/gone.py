"""`gone: IDS`: wait until the server keeps messages no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Gone
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import MESSAGES, NS_PER_S, Item
from harness.verbs.phrases import names
from harness.verbs.problem import Problem
from harness.verbs.references import resolve
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class GoneKeys(StepKeys):
    """The keys of `gone`."""

    gone: Sequence[Item] = key(
        MESSAGES,
        "The id of a message, `line.*` for a whole series, or a list: what retention is to remove.",
    )


def _compile(keys: GoneKeys, scope: Scope, pointer: str) -> Gone | None:
    found: dict[str, str] = {}
    for item in keys.gone:
        where = f"{pointer}/gone{item.at}"
        for series in resolve(scope, item.text, where) or ():
            found.update((id_, where) for id_ in series)
    if not keys.gone and not keys.broken:
        scope.report(
            Problem(
                code="says-nothing",
                pointer=f"{pointer}/gone",
                message="this `gone` names no message",
                label="write the id of a message",
            )
        )
    if not found:
        return None
    scope.gone.update(found)
    return Gone(ids=tuple(found), written=", ".join(item.text for item in keys.gone))


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Gone)
    what = names(step.action.written.split(", "))
    return f"the server removes {what}"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Gone)
    await stage.until_gone(step.action.ids, step)


GONE = Verb(
    name="gone",
    summary="Wait until the server keeps messages no more, because its retention removed them.",
    keys=GoneKeys,
    within_ns=5 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
