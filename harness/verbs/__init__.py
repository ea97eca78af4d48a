"""The verbs of a script, one file each: keys, checks, sentence, and how it is played.

Adding a verb is one file and one line in `VERBS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.verbs.ack import ACK
from harness.verbs.add import ADD
from harness.verbs.connect import CONNECT
from harness.verbs.create import CREATE
from harness.verbs.cut import CUT
from harness.verbs.delay import DELAY
from harness.verbs.disconnect import DISCONNECT
from harness.verbs.disk_full import DISK_FULL
from harness.verbs.duplicate import DUPLICATE
from harness.verbs.expect import EXPECT
from harness.verbs.goaway import GOAWAY
from harness.verbs.half_open import HALF_OPEN
from harness.verbs.heal import HEAL
from harness.verbs.join import JOIN
from harness.verbs.kick import KICK
from harness.verbs.kill import KILL
from harness.verbs.leave import LEAVE
from harness.verbs.lose import LOSE
from harness.verbs.parallel import PARALLEL
from harness.verbs.pause import PAUSE
from harness.verbs.poll import POLL
from harness.verbs.read_only import READ_ONLY
from harness.verbs.refuse import REFUSE
from harness.verbs.resend import RESEND
from harness.verbs.reset import RESET
from harness.verbs.restart import RESTART
from harness.verbs.resume import RESUME
from harness.verbs.send import SEND
from harness.verbs.slow import SLOW
from harness.verbs.start import START
from harness.verbs.verb import Verb
from harness.verbs.wait import WAIT

VERBS: Mapping[str, Verb[Any]] = {
    verb.name: verb
    for verb in (
        CONNECT,
        DISCONNECT,
        CREATE,
        JOIN,
        LEAVE,
        ADD,
        KICK,
        SEND,
        RESEND,
        POLL,
        ACK,
        EXPECT,
        WAIT,
        PARALLEL,
        KILL,
        START,
        RESTART,
        PAUSE,
        RESUME,
        CUT,
        SLOW,
        REFUSE,
        HALF_OPEN,
        RESET,
        DISK_FULL,
        READ_ONLY,
        LOSE,
        DELAY,
        DUPLICATE,
        GOAWAY,
        HEAL,
    )
}

#: Verbs of the format that this version does not play yet, and what they do.
LATER_VERBS: Mapping[str, str] = {}

__all__ = ["LATER_VERBS", "VERBS", "Verb"]
