"""How a command draws on the terminal it was called from."""

from __future__ import annotations

import os
import shutil
from typing import TextIO

from harness.report.look import ColorFlag, Look, look_of


def look_at(stream: TextIO, color: ColorFlag = "auto") -> Look:
    """Return the look that fits a stream, as wide as the terminal."""
    return look_of(stream, os.environ, flag=color, columns=shutil.get_terminal_size((80, 24)).columns)
