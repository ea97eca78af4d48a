"""What chatsys does in a second, how long a message takes, and what many stored ones cost: all of it, or some.

One server process on one processor, clients on another; bodies of 100 bytes. Each figure stands beside what is wanted
of it. Figures of a machine that does other things too say little: look at the load in the first line, and rather at
ratios, whose two sides are measured in turns. To compare two states of the code, run it with PYTHONPATH set to each.

    python bench/chat_speed.py [throughput] [unary] [latency] [stored] [--small] [--keep DIR]

`--small` is a tenth of everything. `--keep DIR` keeps the logs that `stored` fills, some 2.5 GB, for the next time.
Compared with Redis where `redis-server` is installed; nothing else is needed.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import latency
import stored
import throughput
import unary
from machine import describe
from served import ON

RECEIVERS = 20
PARTS = ("throughput", "unary", "latency", "stored")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all of them when none is named")
    parser.add_argument("--small", action="store_true", help="a tenth of everything")
    parser.add_argument("--keep", type=Path, help="where filled logs are kept for the next time")
    asked = parser.parse_args()
    scale = 10 if asked.small else 1
    parts = asked.parts or PARTS
    print(f"{describe()}, load before {os.getloadavg()[1]:.1f}")
    print(f"on: {ON}", flush=True)
    if "throughput" in parts:
        throughput.measure(200_000 // scale, RECEIVERS, 3)
    if "unary" in parts:
        unary.measure(20_000 // scale, RECEIVERS, 5)
    if "latency" in parts:
        latency.measure(RECEIVERS, 2_000 // scale, 200, 5)
    if "stored" in parts:
        if asked.keep is not None:
            asked.keep.mkdir(parents=True, exist_ok=True)
        stored.measure([10_000, 1_000_000 // scale, 10_000_000 // scale], asked.keep)
    print(f"load after {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
