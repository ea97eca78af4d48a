"""`chatsim report`: judge a recorded run again and make its reports again, without starting anything."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness import archive
from harness.archive import ArchiveError
from harness.cli import pages
from harness.cli.derive import recall
from harness.cli.exit_codes import EPILOG
from harness.cli.recorded import one_row, settled
from harness.cli.rejudge import judge_again
from harness.cli.sight import look_at
from harness.cli.telling import Telling, gathered
from harness.model.history import HistoryError
from harness.report.exports import EXPORTS
from harness.report.look import ColorFlag


@click.command("report", epilog=EPILOG)
@click.argument("directory", type=click.Path(path_type=Path), required=False, default=None)
@click.option(
    "--history",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A history that another program recorded; see docs/history.md. Nothing is written without --reports.",
)
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="With --history: the plan.json it is judged against.",
)
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="With --history: where it gets the folder of a run, with report.json, junit.xml and its page.",
)
@click.option(
    "--compare",
    "two",
    type=click.Path(path_type=Path),
    nargs=2,
    default=None,
    metavar="A B",
    help="Two runs: show what each member saw differently. Judges and writes nothing.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict line only.")
@click.option("-v", "--verbose", is_flag=True, help="Print every step and every check.")
@click.option(
    "--format",
    "export",
    type=click.Choice(sorted(EXPORTS)),
    default=None,
    help="Print one scenario in this format instead, and write nothing: a Mermaid diagram, or a trace for Perfetto.",
)
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write a summary in Markdown to this file, for a change.",
)
@click.option("--open", "shows", is_flag=True, help="Open the page in a browser.")
@click.option(
    "--json", "events", is_flag=True, help="Print JSON Lines, one an event; people read standard error."
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    directory: Path | None,
    history: Path | None,
    plan: Path | None,
    reports: Path | None,
    two: tuple[Path, Path] | None,
    *,
    quiet: bool,
    verbose: bool,
    export: str | None,
    summary: Path | None,
    shows: bool,
    events: bool,
    color: ColorFlag,
) -> None:
    """Judge a recorded run again, from its histories alone.

    DIRECTORY is the folder of a run, or of one scenario in it; without it, the latest run. Everything that
    follows from the record is written anew: verdicts.json, report.json, junit.xml, and index.html of every
    scenario and of all. Of a folder of runs, such as reports, it writes the index.html that leads to each.

    \b
    Examples:
      chatsim report
      chatsim report reports/latest/basic
      chatsim report --history mine.jsonl
      chatsim report --history mine.jsonl --reports reports
      chatsim report --open
      chatsim report reports
      chatsim report reports/latest/basic --format trace > basic.json
      chatsim report --compare reports/20261122T173045Z-1f3a9c reports/latest
    """
    if two is not None:
        if directory is not None or history is not None or export is not None or shows:
            raise click.UsageError("--compare takes two runs and nothing else")
        from harness.cli.compare import compare_runs  # noqa: PLC0415 - few reports compare

        raise click.exceptions.Exit(int(compare_runs(*two, look_at(sys.stdout, color))))
    if history is not None and directory is not None:
        raise click.UsageError("give a folder, or a history with --history, not both")
    if plan is not None and history is None:
        raise click.UsageError("--plan says what a --history is judged against; a folder has its own plan")
    if reports is not None and history is None:
        raise click.UsageError(
            "--reports says where a --history gets a folder; a folder is written anew in place"
        )
    if history is not None and reports is None and (export is not None or shows):
        raise click.UsageError(
            "a --history has no page and no other format without --reports; it is judged, and that is printed"
        )
    if history is not None and reports is not None:
        from harness.cli.elsewhere import keep  # noqa: PLC0415 - few reports are of such

        directory, history = keep(history, plan, reports), None
    directory = settled(directory or Path("reports/latest"))
    if export is not None:
        click.echo(_exported(directory, export), nl=False)
        return
    if history is None and pages.holds_runs(directory):
        runs = pages.write_runs(directory)
        click.echo(f"page  {runs}", err=events)
        if shows:
            pages.show(runs)
        return
    telling = Telling(
        verbosity=1 if verbose else -1 if quiet else 0,
        color=color,
        events=events,
        summary=summary,
    )
    if history is not None:
        from harness.cli.elsewhere import judged  # noqa: PLC0415 - see above

        code = telling.tell(gathered([judged(history, plan)], str(history)))
    else:
        code = judge_again(directory, telling, shows=shows)
    raise click.exceptions.Exit(int(code))


def _exported(directory: Path, name: str) -> str:
    """Return the only row of a folder in a format of somebody else's."""
    folder = one_row(directory)
    try:
        return EXPORTS[name](recall(folder), archive.read_ops(folder))
    except (ArchiveError, HistoryError) as fault:
        raise click.UsageError(str(fault)) from fault
