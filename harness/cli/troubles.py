"""Troubles of the machine, told in a sentence with what helps: they say nothing of any server."""

from __future__ import annotations

import errno

#: What is lacking -> what helps.
_REMEDIES = {
    errno.EMFILE: "`ulimit -n 4096` allows a process more",
    errno.ENFILE: "the whole system has no more",
    errno.EAGAIN: "`ulimit -u` says how many processes one may have, and in a container --pids-limit",
    errno.ENOMEM: "play fewer scenarios at once: -j 1",
    errno.ENOSPC: "make room, or choose another disk: --reports DIR, TMPDIR=DIR",
    errno.EROFS: "choose another place: --reports DIR",
}


def told(fault: OSError) -> str:
    """Return `reports/x/env.json: No space left on device`, without full stop."""
    where = "" if fault.filename is None else f"{fault.filename}: "
    return f"{where}{fault.strerror or fault}"


def remedy(fault: OSError) -> str:
    """Return what helps, without full stop; empty when nobody knows."""
    return _REMEDIES.get(fault.errno or 0, "")
