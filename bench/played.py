"""Playing a scenario with the real command and counting in its record: what the benches that play have in common."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.model.verdict import FAMILIES

KINDS = tuple(kind for kinds in FAMILIES.values() for kind in kinds)


@dataclass
class Tally:
    """What so many runs amount to."""

    runs: int = 0
    seconds: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    exercised: Counter[str] = field(default_factory=Counter)
    """Invariant family, or kind of violation -> how often it had something to judge."""
    idle: Counter[str] = field(default_factory=Counter)
    """Invariant -> runs in which it had nothing to judge."""
    acknowledged: int = 0
    deliveries: int = 0
    redeliveries: int = 0
    kills: int = 0
    in_flight: int = 0
    """Kills of the server that cut off a send at least."""
    planned: int = 0
    in_time: int = 0
    held_up: int = 0
    bad: list[str] = field(default_factory=list)

    def add(self, row: dict, history: Path) -> None:
        """Count one row: its entry in report.json, and its record."""
        self.runs += 1
        self.statuses[row["status"]] += 1
        for verdict in row["verdicts"]:
            if verdict["group"] == "invariant":
                self.exercised[verdict["name"]] += verdict["exercised"]
                self.idle[verdict["name"]] += not verdict["exercised"]
                self.exercised.update(verdict["occasions"])
        if (found := row["workload"]) is not None:
            self.planned += found["planned"]
            self.in_time += found["in_time"]
            self.held_up += found["held_up"]
        got: set[tuple[str, str, str]] = set()
        open_sends: set[int] = set()
        for line in history.read_text().splitlines()[1:]:
            op = json.loads(line)
            f, type_, value = op["f"], op["type"], op["value"]
            if f == "send":
                (open_sends.add if type_ == "invoke" else open_sends.discard)(op["op"])
                self.acknowledged += type_ == "ok"
            elif f == "deliver":
                key = (op["process"].partition("#")[0], value["room"], value["client_message_id"])
                self.deliveries += 1
                self.redeliveries += key in got
                got.add(key)
            elif op["process"] == "nemesis" and f not in ("start", "resume", "heal"):
                targets = value.get("targets", ())
                if type_ == "ok":  # one that was only asked for did not fire
                    way = value.get("direction", "both")
                    name = f if way == "both" else f"{f} {way}"
                    self.faults[f"{name} {'server' if 'server' in targets else 'clients'}"] += 1
                elif type_ == "invoke" and f == "kill" and "server" in targets:
                    self.kills += 1
                    self.in_flight += bool(open_sends)

    def tell(self) -> None:
        """Print the figures."""
        print(f"  {self.runs} runs in {self.seconds:.0f} s: {_listed(self.statuses)}")
        print(f"  faults fired      {self.faults.total()}: {_listed(self.faults)}")
        print(f"  acknowledged      {self.acknowledged} messages; {self.deliveries} deliveries")
        print(f"  redeliveries      {self.redeliveries}")
        if self.kills:
            print(f"  server kills      {self.kills}, {self.in_flight} of them with sends in flight")
        counted = self.planned - self.held_up
        if counted:
            share = self.in_time / counted
            print(f"  acts in time      {share:.1%} of {counted}, {self.held_up} more held up by faults")
        for names, said in ((FAMILIES, "exercised"), (KINDS, "by kind")):
            print(f"  {said:17} " + _listed(Counter({name: self.exercised[name] for name in names})))
        if any(self.idle.values()):
            print("  in some runs not  " + _listed(self.idle))
        for said in self.bad:
            print(f"  NOT PASSED        {said}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.most_common() if number)


def play(text: str, seeds: range, jobs: int, enough: Callable[[Tally], bool] = lambda _: False) -> Tally:
    """Play a scenario once for each seed, so many at a time, until it is enough."""
    tally = Tally()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "played.yaml"
        scenario.write_text(text)
        waiting = list(seeds)
        running: list[tuple[int, Path, subprocess.Popen[str]]] = []
        while running or (waiting and not enough(tally)):
            while waiting and len(running) < jobs and not enough(tally):
                seed = waiting.pop(0)
                reports = Path(folder) / str(seed)
                command = [sys.executable, "-m", "harness", "run", str(scenario), "--seed", str(seed)]
                process = subprocess.Popen(
                    [*command, "--reports", str(reports)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                running.append((seed, reports, process))
            seed, reports, process = running.pop(0)
            said, _ = process.communicate()
            if process.returncode != 0:
                tally.bad.append(f"seed {seed}, exit {process.returncode}\n{said}")
            report = reports / "latest" / "report.json"
            if report.is_file():
                row = json.loads(report.read_text())["rows"][0]
                tally.add(row, next((reports / "latest").glob("*/history.jsonl")))
    tally.seconds = time.monotonic() - begun
    return tally
