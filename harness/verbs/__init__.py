"""The verbs of a script, one file each: keys, checks, sentence, and how it is played.

Adding a verb is one file and one line in `VERBS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.verbs.connect import CONNECT
from harness.verbs.disconnect import DISCONNECT
from harness.verbs.expect import EXPECT
from harness.verbs.kill import KILL
from harness.verbs.parallel import PARALLEL
from harness.verbs.pause import PAUSE
from harness.verbs.restart import RESTART
from harness.verbs.resume import RESUME
from harness.verbs.send import SEND
from harness.verbs.start import START
from harness.verbs.verb import Verb
from harness.verbs.wait import WAIT

VERBS: Mapping[str, Verb[Any]] = {
    verb.name: verb
    for verb in (CONNECT, DISCONNECT, SEND, EXPECT, WAIT, PARALLEL, KILL, START, RESTART, PAUSE, RESUME)
}

#: Verbs of the format that this version does not play yet, and what they do.
LATER_VERBS: Mapping[str, str] = {
    "create": "make a room in the middle of the script",
    "join": "enter an open room",
    "leave": "leave a room",
    "add": "an admin adds a member",
    "kick": "an admin removes a member",
    "resend": "send a message again under the same client message id",
    "poll": "read once, by hand",
    "ack": "acknowledge by hand",
    "cut": "hold all bytes of a client's network",
    "slow": "a slow network",
    "reset": "reset a client's connections",
    "refuse": "refuse new connections",
    "lose": "lose a request or its answer",
    "delay": "delay a request or its answer",
    "duplicate": "send a request twice",
    "heal": "end a fault",
}

__all__ = ["LATER_VERBS", "VERBS", "Verb"]
