"""What a well-written scenario asks for that this version cannot play: known only when it is to be played."""

from __future__ import annotations

from collections.abc import Iterable

from harness.model.plan import Plan
from harness.source.diagnostic import Diagnostic


def not_playable(plans: Iterable[Plan]) -> tuple[Diagnostic, ...]:
    """Return an error for each thing that a run of these plans would need and does not have, each once."""
    found: dict[Diagnostic, None] = {}
    for plan in plans:
        for client in plan.clients:
            if client.token == "valid":  # noqa: S105 - the kind of one
                continue
            span = plan.spans.get(f"/clients/{client.name}/token") or plan.spans.get("/clients")
            found[
                Diagnostic(
                    code="not-yet",
                    message=f"{client.name} shows a token that is `{client.token}`, and tokens do not exist yet",
                    file=plan.file,
                    line=span.line if span else 0,
                    column=span.column if span else 0,
                    width=span.width if span else 1,
                    label="this version can check the scenario, and not play it",
                    help=("every client is let in under its name; take `token` away to play the rest",),
                )
            ] = None
    return tuple(found)
