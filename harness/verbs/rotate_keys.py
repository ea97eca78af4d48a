"""`rotate_keys: add | retire`: change the keys by which the server knows tokens, while it runs."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from dataclasses import dataclass

from harness.model.actions import KeyChange, RotateKeys
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S, one_of
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class RotateKeysKeys(StepKeys):
    """The keys of `rotate_keys`."""

    rotate_keys: KeyChange = key(
        one_of("add", "retire"),
        "`add`: a new key signs from now on, and tokens that older ones signed stay good. `retire`: only the newest "
        "key is believed from now on.",
    )


def _compile(keys: RotateKeysKeys, _scope: Scope, _pointer: str) -> RotateKeys | None:
    return None if keys.broken else RotateKeys(change=keys.rotate_keys)


def _sentence(step: Step) -> str:
    assert isinstance(step.action, RotateKeys)
    if step.action.change == "add":
        return "the server gets a new key, which signs from now on"
    return "all keys of the server but the newest are taken away"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, RotateKeys)
    settle(step, [await stage.rotate_keys(step.action.change, step)])


ROTATE_KEYS = Verb(
    name="rotate_keys",
    summary="Change the keys by which the server knows tokens, while it runs; done when it believes the new ones.",
    keys=RotateKeysKeys,
    within_ns=5 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
