"""What a verb is: one row of the table in `harness.verbs`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.model.steps import Action, Step
from harness.verbs.keys import StepKeys
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage

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
