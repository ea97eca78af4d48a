"""What the shell completes beside commands and options: scenarios and their tags, the rows of a run.

Called by click while the shell waits, so nothing is imported before it is wanted, and what cannot be read completes
to nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Where tags alone look, as `chatsim run` does.
_TAGGED = "scenarios"


def scenarios(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a file or folder, or a tag when it begins with `#`."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - see the module's docstring

    if not incomplete.startswith("#"):
        return [CompletionItem(incomplete, type="file")]
    from harness.source.loader import load  # noqa: PLC0415 - see the module's docstring

    tags = {tag for plan in load([_TAGGED]).plans for tag in plan.tags}
    return [CompletionItem(f"#{tag}") for tag in sorted(tags) if f"#{tag}".startswith(incomplete)]


def rows(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a row in the run that was named before."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - see the module's docstring

    from harness import archive  # noqa: PLC0415 - see the module's docstring

    try:
        found = archive.rows(Path(ctx.params.get("directory") or "reports/latest"))
    except archive.ArchiveError:
        return []
    return [CompletionItem(row.name) for row in found if row.name.startswith(incomplete)]
