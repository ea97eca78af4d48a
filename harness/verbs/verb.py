"""What a verb is: one row of the table in `harness.verbs`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from harness.model.plan import Action, Step
from harness.verbs.keys import StepKeys
from harness.verbs.scope import Scope
from harness.verbs.stage import Answer, Stage

K = TypeVar("K", bound=StepKeys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb(Generic[K]):
    """One thing that a step may do."""

    name: str
    summary: str
    """One sentence for the editor and the manual."""
    keys: type[K]
    within_ns: int
    """The default deadline."""
    compile: Callable[[K, Scope, str], Action | None]
    """Keys, scope and the step's pointer in, the action out; None after reporting why not."""
    sentence: Callable[[Step], str]
    """The step as a person would tell it, without pauses and full stop."""
    play: Callable[[Stage, Step], Awaitable[None]]
    """Plays the step; raises StepFailedError. The pauses `after` and `at` are over by then."""


async def together(calls: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """Run calls at once and return their answers in order; when one raises, the others are cancelled."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
