"""The mark that a damaged log leaves in its directory, so that it is not served again by accident.

``chatsys check`` takes it away when it finds nothing. Invariant: a directory with the mark is refused.
"""

import contextlib
import os
from pathlib import Path

from chatsys import private

FILE = "damaged"


def mark(directory: Path, sentence: str) -> None:
    """Remembers what was found; a disk that takes nothing any more is no reason to fail now."""
    with contextlib.suppress(OSError), os.fdopen(private.open_or_make(directory / FILE), "w") as out:
        out.write(f"{sentence}\n")
        out.truncate()


def marked(directory: Path) -> str | None:
    """What was found in this directory; None when nothing was."""
    try:
        return (directory / FILE).read_text(errors="replace").strip() or "it does not say how"
    except FileNotFoundError:
        return None
    except OSError as error:  # a mark that only another user may read is one all the same
        return f"the file {FILE!r} says how, and cannot be read: {error.strerror}"


def clear(directory: Path) -> None:
    """Takes the mark away: the log was checked, or another one is there."""
    (directory / FILE).unlink(missing_ok=True)
