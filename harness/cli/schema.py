"""`chatsim schema`: the JSON Schema of scenarios, and the reference for people, from the same tables."""

from __future__ import annotations

import json

import click

from harness.cli.exit_codes import EPILOG


@click.command("schema", epilog=EPILOG)
@click.option("--reference", is_flag=True, help="Print the manual of the language instead, as Markdown.")
def command(*, reference: bool) -> None:
    """Print the JSON Schema of scenarios, by which editors complete and check them.

    \b
    Examples:
      chatsim schema > schema/scenario.v1.json
      chatsim schema --reference > docs/scenarios.md
    """
    if reference:
        from harness.source.reference import reference as page  # noqa: PLC0415 - not needed for the schema

        click.echo(page(), nl=False)
        return
    from harness.source.schema import scenario_schema  # noqa: PLC0415 - not needed for the reference

    click.echo(json.dumps(scenario_schema(), ensure_ascii=False, indent=1))
