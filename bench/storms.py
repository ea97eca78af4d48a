"""Short storms from many seeds: the server that ships is convicted of nothing, and none of them is unknown.

Each is ten clients who send, read, acknowledge, come and go, and are put out and let in, while processes are killed,
restarted and frozen, and networks are cut where this version can. Ends with 1 unless every run passed, and every
invariant had something to judge.

    python bench/storms.py [N] [FIRST_SEED] [JOBS]
"""

from __future__ import annotations

import sys

from machine import describe
from played import play

from harness.verbs import FAULT_VERBS

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
workload:
  rate: 60/s
  for: 2s
  mix: {send: 60, poll: 12, ack: 8, disconnect: 4, connect: 4, join: 2, leave: 2, kick: 2, add: 4}
nemesis:
  every: 400ms
  faults:
    - kill: server
      for: 150ms
    - pause: {any: 2}
      for: 200ms
    - kill: {any: 1}
      for: 150ms
    - pause: server
      for: 200ms
    - restart: server
"""
CUT = """\
    - cut: {any: 2}
      for: 200ms
"""


def main() -> int:
    count, first, jobs = ([int(word) for word in sys.argv[1:]] + [300, 1, 2][len(sys.argv) - 1 :])[:3]
    text = STORM + (CUT if "cut" in FAULT_VERBS else "")
    print(describe())
    print(f"{count} storms, seeds {first} to {first + count - 1}, {jobs} at a time")
    tally = play(text, range(first, first + count), jobs)
    tally.tell()
    dull = [name for name, number in tally.exercised.items() if not number]
    if dull:
        print(f"  NOT EXERCISED     {', '.join(dull)}")
    return 1 if tally.bad or dull else 0


if __name__ == "__main__":
    sys.exit(main())
