"""The scenario language: YAML text -> plans, or every fault with line, column, caret and remedy.

`load(paths)` is the door; `diagnostic.render` shows what it found; `explain(plan)` tells a plan as a screenplay.
Draws no randomness, reads no clock, starts nothing. The judge of names and ids is `harness.verbs.scope`.
"""

from __future__ import annotations

from harness.source.compile import compile_plan, compile_plans
from harness.source.diagnostic import Diagnostic, closing_line, render
from harness.source.explain import explain
from harness.source.loader import Loaded, load

__all__ = [
    "Diagnostic",
    "Loaded",
    "closing_line",
    "compile_plan",
    "compile_plans",
    "explain",
    "load",
    "render",
]
