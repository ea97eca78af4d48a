"""Commands that a person is told to type next, as that person can type them.

In a clone without an installation nothing is called `chatsim`: there `./dev` starts it, and says so in `CHATSIM_DEV`.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

#: Environment variable: the path by which the clone's `./dev` was called; unset where it was not.
THROUGH = "CHATSIM_DEV"


def typed(words: Sequence[str], environ: Mapping[str, str] = os.environ) -> str:
    """Return a command ready to paste, by `./dev` where that is how chatsim was started."""
    through = environ.get(THROUGH)
    return shlex.join([through, *words] if through else words)
