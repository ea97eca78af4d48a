"""A head start for `chatsim run`: the keeper is launched before the options are read.

Of all that a short run waits for, the keeper's imports take longest; so it is launched first, before even click is
imported, with what it will need in the usual case. The command takes it over if that was right. It has no server and
no client before the scenarios are known to be good; if there is nothing to run, it just goes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from harness.keeper.launch import Launched, launch
from harness.run.own import preload

_waiting: dict[tuple[str, ...], Launched] = {}


def begin(words: Sequence[str]) -> None:
    """Launch a keeper if these words will need one that forks our own server and driver."""
    own = not any(word.startswith(("--server", "--driver", "--help", "-h")) for word in words)
    if words[:1] == ["run"] and len(words) > 1 and own:
        modules = preload(None, None)
        with contextlib.suppress(OSError):  # the command will try again, and say so
            _waiting[modules] = launch(os.urandom(6).hex(), modules)


def take(modules: tuple[str, ...]) -> Launched:
    """Return the keeper that is on its way, or launch one when there is none for these modules.

    Raises:
        OSError: this system gives no more processes or descriptors.
    """
    return _waiting.pop(modules, None) or launch(os.urandom(6).hex(), modules)


def end() -> None:
    """Send home the keeper that nobody took."""
    while _waiting:
        _waiting.popitem()[1].abandon()
