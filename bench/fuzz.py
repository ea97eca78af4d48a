"""Many hostile requests against a real server: every method of every service, with and without tokens, and the port.

What is looked at is in tests/chatsys/fuzz; the test suite plays a few thousand of the same. Ends with an error, and
the smallest case that shows it, when a server did what it must not.

    python bench/fuzz.py [CASES] [SEED]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import describe

from tests.chatsys.fuzz.campaign import against_methods, against_port
from tests.chatsys.fuzz.stage import open_stage

PARTS = (
    ("methods, by names", False, against_methods, 0.3),
    ("methods, with tokens", True, against_methods, 0.4),
    ("bytes on the port", False, against_port, 0.3),
)


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 10**9
    print(describe())
    print(f"{number:,} cases, seed {seed}")
    for name, tokens, play, share in PARTS:
        cases = round(number * share)
        began = time.perf_counter()
        with (
            tempfile.TemporaryDirectory() as folder,
            open_stage(Path(folder) / "data", tokens=tokens) as stage,
        ):
            before, after = play(stage, cases, seed)
        took = time.perf_counter() - began
        print(f"{name}: {cases:,} cases in {took:.0f} s, nothing found", flush=True)
        print(
            f"  server: {before.resident / 2**20:.0f} MiB, then {after.resident / 2**20:.0f} MiB;"
            f" tasks {before.tasks}, then {after.tasks}; open files {before.files}, then {after.files}"
        )


if __name__ == "__main__":
    main()
