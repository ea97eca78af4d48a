"""`chatsim schema`: the JSON Schemas of what chatsim reads and writes, and the manual of its language."""

from __future__ import annotations

import json
from typing import Any

import click

from harness.cli.exit_codes import EPILOG

NAMES = ("scenario", "report", "verdicts")


@click.command("schema", epilog=EPILOG)
@click.argument("name", type=click.Choice(NAMES), default="scenario")
@click.option("--reference", is_flag=True, help="Print the manual of the language instead, as Markdown.")
def command(name: str, *, reference: bool) -> None:
    """Print a JSON Schema: of scenarios, by which editors complete and check them; of report.json; of verdicts.json.

    \b
    Examples:
      chatsim schema > schema/scenario.v1.json
      chatsim schema report > schema/report.v1.json
      chatsim schema --reference > docs/scenarios.md
    """
    if reference:
        if name != "scenario":
            raise click.UsageError("the manual is that of the language of scenarios: leave out the name")
        from harness.source.reference import reference as page  # noqa: PLC0415 - not needed for a schema

        click.echo(page(), nl=False)
        return
    click.echo(json.dumps(_schema(name), ensure_ascii=False, indent=1))


def _schema(name: str) -> dict[str, Any]:
    if name == "scenario":
        from harness.source.schema import scenario_schema  # noqa: PLC0415 - each is dear to import, one is wanted

        return scenario_schema()
    from harness.report.schema import report_schema, verdicts_schema  # noqa: PLC0415 - see above

    return report_schema() if name == "report" else verdicts_schema()
