"""Traffic and trouble drawn from a seed: acts of clients and faults, each with the moment at which it is due.

A workload is drawn when the scenario is read, so a plan says beforehand what will be done, to whom and when; what
comes of it (answers, the order of what is under way at once, how long a heal takes) no seed decides.

Invariants:
* The `at_ns` of an act and of a fault counts from the moment at which all clients were connected, in real time.
  Both are in the order of their moments.
* Every step has a pointer of its own below the line that asked for it: `/workload/mix/send/17` is the 17th act, and
  `/nemesis/faults/0/3` the third fault. So an operation of a history leads back to its moment.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.model.steps import Step

#: Begins the pointers of acts, and of faults.
ACTS, FAULTS = "/workload/mix/", "/nemesis/faults/"
#: An act that starts this long after its moment, at the most, is in time.
IN_TIME_NS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What clients and the nemesis do beside the script."""

    begin: Step
    """Connects everybody; the script and the acts begin when it is done."""
    rooms: tuple[str, ...]
    """Where it sends."""
    rate_per_s: float
    duration_ns: int
    """From the begin of the first act's turn to the end of the last one's."""
    acts: tuple[Step, ...]
    faults: tuple[Step, ...] = ()

    def steps(self) -> tuple[Step, ...]:
        """Return everything that it does."""
        return (self.begin, *self.acts, *self.faults)

    def mix(self) -> Counter[str]:
        """Return how many acts there are of each verb, the most frequent first."""
        drawn = Counter(act.action.verb for act in self.acts)
        return Counter(dict(sorted(drawn.items(), key=lambda item: (-item[1], item[0]))))


def actor(step: Step) -> str:
    """Return the client who does an act."""
    action = step.action
    names: tuple[str, ...] = getattr(action, "senders", ()) or getattr(action, "who", ())
    return names[0] if names else str(getattr(action, "by", ""))
