"""Why a command could not do its work at all: one sentence, and exit code 3."""

from __future__ import annotations

import click

from harness.cli.exit_codes import ExitCode


class CouldNotRunError(click.ClickException):
    """Nothing was judged, because nothing could be started; the text says why."""

    exit_code = ExitCode.COULD_NOT_RUN
