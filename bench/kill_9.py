"""`kill -9` of the server, over and over, with sends in flight: nothing acknowledged is lost, nothing comes twice.

Runs of a workload that keeps the server busy, while the nemesis kills it every now and then, until it has been killed
so many times. Ends with 1 unless every run passed, and nine of ten kills cut off a send.

    python bench/kill_9.py [KILLS] [FIRST_SEED]
"""

from __future__ import annotations

import math
import sys

from machine import describe
from played import play

KILLS = """
scenario: The server is killed again and again
clients: {user: 6}
rooms: {lobby: [user-1..6]}
workload:
  rate: 400/s
  for: 10s
nemesis:
  every: 500ms
  faults:
    - kill: server
      for: 50ms
"""
SHARE = 0.9


def main() -> int:
    kills, first = ([int(word) for word in sys.argv[1:]] + [200, 1][len(sys.argv) - 1 :])[:2]
    print(describe())
    print(f"{kills} kills, one run after the other from seed {first} on")
    tally = play(KILLS, range(first, first + kills), 1, lambda so_far: so_far.kills >= kills)
    tally.tell()
    enough = tally.in_flight >= math.ceil(SHARE * tally.kills)
    if not enough:
        print("  TOO FEW           kills with sends in flight")
    return 0 if enough and not tally.bad and tally.kills >= kills else 1


if __name__ == "__main__":
    sys.exit(main())
