"""What a workload will do, in words: for the screenplay of a plan, and before it is played."""

from __future__ import annotations

from collections.abc import Iterator

from harness.model.workload import Workload
from harness.verbs import VERBS
from harness.verbs.phrases import count, duration, names


def acts(workload: Workload) -> str:
    """Return `800 acts of 50 clients in 8 s, in red and blue: 581 send, 145 poll, 74 disconnect`."""
    mix = ", ".join(f"{number} {verb}" for verb, number in workload.mix().items())
    who = count(len(getattr(workload.begin.action, "who", ())), "client")
    return (
        f"{count(len(workload.acts), 'act')} of {who} in {duration(workload.duration_ns)},"
        f" in {names(workload.rooms)}: {mix or 'nobody can do any'}"
    )


def faults(workload: Workload) -> Iterator[str]:
    """Yield `at 2.1 s, the server is killed by SIGKILL, and starts again after 500 ms` for each fault."""
    for fault in workload.faults:
        yield f"at {(fault.at_ns or 0) / 1e9:.1f} s, {VERBS[fault.action.verb].sentence(fault)}"
