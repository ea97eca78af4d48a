"""How long many clients take to come online, and what each costs in memory.

A scenario with N clients that connect in one step, played with processes forked from the keeper and with the
same driver exec'd cold, in turn. The time is that of the step, from its history: from the invocation of the
first connect to the completion of the last. The memory of a client is its proportional set size (Pss) while all
are online.

    python bench/many_clients.py [N] [ROUNDS]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe

COLD = f"{sys.executable} -m harness.drivers.chatsys"
SCENARIO = """
scenario: Many come online
clients: [{names}]
rooms: {{hall: [{names}]}}
steps:
  - connect: [{names}]
    within: 120s
  - wait: 2s
  - send: Hello, hall!
    from: user-1
"""


def operations(reports: Path) -> list[dict]:
    """Return what is on record so far."""
    for path in reports.glob("*-*/*/history.jsonl"):
        return [json.loads(line) for line in path.read_text().split("\n")[1:-1]]
    return []


def pss_kib(pid: int) -> int:
    """Return a process's proportional set size."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise LookupError(pid)


def once(scenario: Path, extra: list[str]) -> tuple[float, float]:
    """Return (seconds until all were online, mean MiB a client)."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        command = [sys.executable, "-m", "harness", "run", str(scenario), "--reports", folder, *extra]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
            while not any(op["f"] == "wait" for op in operations(reports)):
                assert run.poll() is None, run.stdout.read()
                time.sleep(0.05)  # looking at a file that another process writes
            ops = operations(reports)
            pids = [op["value"]["pid"] for op in ops if op["f"] == "spawn" and op["process"] != "harness"]
            memory = statistics.mean(pss_kib(pid) for pid in pids) / 1024
            said, _ = run.communicate()
            assert run.returncode == 0, said
        connects = [op for op in operations(reports) if op["f"] == "connect" and op["process"] != "harness"]
        begun = min(op["time"] for op in ops if op["f"] == "spawn" and op["process"] != "harness")
        ended = max(op["time"] for op in connects if op["type"] == "ok")
        provisioned = max(op["time"] for op in ops if op["f"] == "create" and op["type"] == "ok")
        return (ended - min(begun, provisioned)) / 1e9, memory


def main() -> None:
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "many.yaml"
        scenario.write_text(SCENARIO.format(names=", ".join(f"user-{n}" for n in range(1, clients + 1))))
        forked, cold = [], []
        for _ in range(rounds):
            forked.append(once(scenario, []))
            cold.append(once(scenario, ["--driver", COLD]))
    print(describe())
    print(f"{clients} clients online, {rounds} rounds: median (min-max)")
    for name, rows in (("forked from the keeper", forked), ("drivers exec'd cold", cold)):
        times, memory = [row[0] for row in rows], statistics.median(row[1] for row in rows)
        mid = statistics.median(times)
        print(f"  {name:<24} {mid:6.2f} s ({min(times):.2f}-{max(times):.2f})   {memory:.1f} MiB a client")
    ratios = [b[0] / a[0] for a, b in zip(forked, cold, strict=True)]
    print(
        f"  cold / forked            {statistics.median(ratios):6.1f} ({min(ratios):.1f}-{max(ratios):.1f})"
    )
    print("targets: at least 8 times faster, at most 5 MiB a client")


if __name__ == "__main__":
    main()
