"""Why nothing was collected, though a folder of scenarios was named: they lie outside of `chatsim_paths`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from harness.source import text as texts
from harness.verbs.phrases import count


def overlooked(config: pytest.Config) -> str:
    """Return a sentence with what to type instead, for the first folder on the command line that has scenarios.

    Empty when there is none: then pytest's own words are enough.
    """
    for argument in config.args:
        folder = Path(config.invocation_params.dir, argument)
        if not folder.is_dir() or not (files := texts.find(folder)):
            continue
        places = " ".join(config.getini("chatsim_paths"))
        inside = os.path.relpath(folder, config.rootpath)
        words = ["pytest", argument, "-o", f"chatsim_paths={inside}"]
        return (
            f"chatsim: {argument} holds {count(len(files), 'scenario file')}, which pytest passes over: it collects "
            f"those below `chatsim_paths` ({places}), and files that are named.\n"
            f"Type  {shlex.join(words)}  or write  chatsim_paths = {inside}  into pytest's configuration."
        )
    return ""
