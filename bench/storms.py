"""Short storms from many seeds: the server that ships is convicted of nothing, and none of them is unknown.

Each is ten clients who send, read, acknowledge, come and go, and are put out and let in, while processes are killed,
restarted and frozen, and networks are cut, slow, reset, refused and half-open. One of the rooms shows all of its
history to whoever comes back. Ends with 1 unless every run passed, every fault fired, and every invariant, the opt-in
one too, had something to judge.

    python bench/storms.py [N] [FIRST_SEED] [JOBS]
"""

from __future__ import annotations

import sys

from machine import describe
from played import KINDS, play

from harness.model.verdict import FAMILIES

STORM = """
scenario: A short storm
clients:
  boss: {}
  user: 4
  hand: {count: 2, acks: manual}
  reader: {count: 3, receive: manual}
rooms:
  red: {members: [boss, user-1..4, hand-1..2, reader-1], admins: [boss]}
  blue: {members: [boss, user-3..4, reader-1..3], admins: [boss], entry: open}
  green: {members: [boss, user-1..4, hand-1..2, reader-1..2], admins: [boss], history: whole_room}
workload:
  rate: 60/s
  for: 2s
  mix: {send: 60, poll: 12, ack: 8, disconnect: 4, connect: 4, join: 4, leave: 4, kick: 6, add: 8}
nemesis:
  every: 300ms
  faults:
    - kill: server
      for: 150ms
    - kill: {any: 1}
      for: 150ms
    - kill: [hand-1, hand-2]
      for: 100ms
    - restart: server
    - pause: {any: 2}
      for: 200ms
    - pause: server
      for: 200ms
    - cut: {any: 2}
      for: 200ms
    - cut: {any: 2}
      direction: from_server
      for: 200ms
    - slow: {any: 3}
      latency: 40ms
      jitter: 30ms
      for: 300ms
    - reset: {any: 3}
    - half_open: {any: 1}
      for: 200ms
    - refuse: {any: 2}
      for: 150ms
invariants: {real-time-order: required}
"""
FAULTS = (
    "kill server",
    "kill clients",
    "restart server",
    "pause clients",
    "pause server",
    "cut clients",
    "cut from_server clients",
    "slow clients",
    "reset clients",
    "half_open clients",
    "refuse clients",
)


def main() -> int:
    count, first, jobs = ([int(word) for word in sys.argv[1:]] + [300, 1, 2][len(sys.argv) - 1 :])[:3]
    print(describe())
    print(f"{count} storms, seeds {first} to {first + count - 1}, {jobs} at a time")
    tally = play(STORM, range(first, first + count), jobs)
    tally.tell()
    missing = {
        "NOT EXERCISED": [name for name in (*FAMILIES, *KINDS) if not tally.exercised[name]],
        "NEVER FIRED": [name for name in FAULTS if not tally.faults[name]],
        "NEVER HAPPENED": ["redelivery"] * (not tally.redeliveries),
    }
    for complaint, names in missing.items():
        if names:
            print(f"  {complaint:17} {', '.join(names)}")
    return 1 if tally.bad or any(missing.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
