"""How long the main job takes, cold: `chatsim run scenarios/basic.yaml --speed max`, the whole command.

Measured side by side in one go, in turn: as it is (processes forked from the keeper), and with the same driver
exec'd cold for every client. Before each run it is made sure that no process of chatsim is alive. Prints both
medians and the median of the pairwise ratios.

    python bench/main_job.py [PAIRS]
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from machine import describe

ROOT = Path(__file__).resolve().parents[1]
COLD = f"{sys.executable} -m harness.drivers.chatsys"


def alive() -> list[str]:
    """Return the processes of chatsim or chatsys that are running now."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        if "harness.keeper.main" in words or "chatsys serve" in words or "harness.drivers" in words:
            found.append(words)
    return found


def once(chatsim: str, reports: Path, extra: list[str]) -> float:
    """Run the main job once and return its wall time in seconds."""
    assert not alive(), f"somebody is running already: {alive()}"
    command = [chatsim, "run", "scenarios/basic.yaml", "--speed", "max", "--reports", str(reports), *extra]
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.perf_counter() - begun
    assert done.returncode == 0, done.stdout + done.stderr
    return took


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    chatsim = shutil.which("chatsim", path=str(Path(sys.executable).parent)) or "chatsim"
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        once(chatsim, reports, [])  # both from a warm page cache
        once(chatsim, reports, ["--driver", COLD])
        forked, cold = [], []
        for _ in range(pairs):
            forked.append(once(chatsim, reports, []))
            cold.append(once(chatsim, reports, ["--driver", COLD]))
    ratios = [a / b for a, b in zip(forked, cold, strict=True)]
    print(describe())
    print(f"main job, {pairs} pairs, wall time of the whole command in ms: median (min-max)")
    for name, times in (("forked from the keeper", forked), ("drivers exec'd cold", cold)):
        low, mid, high = (1000 * f(times) for f in (min, statistics.median, max))
        print(f"  {name:<24} {mid:6.0f} ({low:.0f}-{high:.0f})")
    print(
        f"  ratio                    {statistics.median(ratios):6.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    )
    print("targets: at most 300 ms, and a ratio of at most 0.75")


if __name__ == "__main__":
    main()
