"""Who was there when, and what was done to them: lives of processes, times of connections, bands of faults.

A fold over the operations of a run, in their order; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from harness.model.history import ENDS_ITSELF, FENCE, HARNESS, HEALS, NEMESIS, SERVER, Op
from harness.report.text import safe
from harness.report.words import ending, say_op

#: Faults that a healing act ends, where it names none by id. `heal` itself ends any.
_ENDS: Mapping[str, frozenset[str]] = {
    "start": frozenset({"kill", "restart", "pause"}),
    "restart": frozenset({"kill", "restart", "pause"}),
    "resume": frozenset({"pause"}),
}


class Life(NamedTuple):
    """One process, from its start to its end."""

    process: str
    lane: str
    begun_ns: int
    ended_ns: int
    """The end of the run, when nobody saw it end."""
    pid: int | None
    ending: str
    """How it ended; empty when nobody saw it."""
    asked: bool
    """Whether it ended because it was told to."""
    connected: tuple[tuple[int, int], ...]
    """From when to when it was connected; the server, from when to when it served."""


class Band(NamedTuple):
    """A fault, from its beginning to the end of its healing."""

    label: str
    targets: tuple[str, ...]
    begun_ns: int
    ended_ns: int


class _Life:
    __slots__ = ("begun", "connected", "end", "ended", "pid", "since")

    def __init__(self, begun: int, pid: int | None) -> None:
        self.begun = begun
        self.pid = pid
        self.end: Mapping[str, object] | None = None
        self.ended: int | None = None
        self.since: int | None = None
        self.connected: list[tuple[int, int]] = []

    def connect(self, now: int) -> None:
        if self.since is None:
            self.since = now

    def part(self, now: int) -> None:
        if self.since is not None:
            self.connected.append((self.since, now))
            self.since = None


class Lives:
    """Collects lives and faults. Feed it every operation once, in order."""

    def __init__(self) -> None:
        self._lives: list[tuple[str, _Life]] = []
        self._now: dict[str, _Life] = {}
        self._bands: list[tuple[Op, dict[str, int]]] = []
        """Each fault, and when it ended for each of its targets that it no longer has."""

    def feed(self, op: Op) -> None:
        """Take in one operation."""
        if op.process == NEMESIS:
            self._fault(op)
            return
        if op.process == FENCE:
            return
        match op.f, op.type:
            case "spawn", "ok":
                self._begin(op)
            case "start", "ok" if op.process == SERVER:
                self._begin(op).connect(op.time)
            case "exit", "ok":
                life = self._now.pop(op.process, None) or self._begin(op)
                self._now.pop(op.process, None)
                life.part(op.time)
                life.end, life.ended = op.value, op.time
            # Messages may come before the connect is answered: whoever gets one is there.
            case (("connect" | "deliver"), "ok"):
                self._life(op).connect(op.time)
            case "disconnect", "ok":
                self._life(op).part(op.time)
            case "connection", _:
                if op.value.get("state") == "lost":
                    self._life(op).part(op.time)
                else:
                    self._life(op).connect(op.time)
            case _:
                pass

    def struck(self, name: str) -> bool:
        """Return whether a fault is active on a party."""
        return any(name in _targets(op) and name not in ended for op, ended in self._bands)

    def since(self, process: str) -> int:
        """Return since when a process is connected, or 0 when it is not."""
        life = self._now.get(process)
        return life.since if life is not None and life.since is not None else 0

    def result(self, end_ns: int) -> tuple[tuple[Life, ...], tuple[Band, ...]]:
        """Return the lives, those of one lane together, and the faults, of a run that ended then."""
        lives = []
        for name, life in self._lives:
            ended = end_ns if life.ended is None else life.ended
            life.part(ended)
            lives.append(
                Life(
                    process=safe(name),
                    lane=name.partition("#")[0],
                    begun_ns=life.begun,
                    ended_ns=ended,
                    pid=life.pid,
                    ending="" if life.end is None else ending(life.end),
                    asked=bool((life.end or {}).get("asked")),
                    connected=tuple(life.connected),
                )
            )
        bands = [
            Band(
                label=safe(say_op(op)),
                targets=(target,),
                begun_ns=op.time,
                ended_ns=ended.get(target, end_ns),
            )
            for op, ended in self._bands
            for target in _targets(op)
        ]
        lanes = list(dict.fromkeys(life.lane for life in lives))
        return tuple(sorted(lives, key=lambda life: lanes.index(life.lane))), _joined(bands)

    def _begin(self, op: Op) -> _Life:
        life = _Life(op.time, op.value.get("pid"))
        self._lives.append((op.process, life))
        self._now[op.process] = life
        return life

    def _life(self, op: Op) -> _Life:
        # A history that begins in its middle may show somebody of whose start it knows nothing.
        return self._now.get(op.process) or (
            self._begin(op) if op.process != HARNESS else _Life(op.time, None)
        )

    def _fault(self, op: Op) -> None:
        if op.type == "invoke":
            if op.f not in HEALS:
                self._bands.append((op, {}))
            return
        if op.type != "ok" or op.f not in (*HEALS, *ENDS_ITSELF, "fired"):
            return
        ids, kinds = op.value.get("ids") or (), _ENDS.get(op.f)
        if op.f == "fired" or (op.f in ENDS_ITSELF and kinds is None):
            ids = (op.value.get("id"),)
        for fault, ended in self._bands:
            if fault.time > op.time or (ids and fault.value.get("id") not in ids):
                continue
            if not ids and kinds is not None and fault.f not in kinds:
                continue
            for target in set(_targets(op)) & set(_targets(fault)):
                ended.setdefault(target, op.time)


def _targets(op: Op) -> tuple[str, ...]:
    named = op.value.get("targets") or ()
    return tuple(map(str, named)) if isinstance(named, (list, tuple)) else (str(named),)


def _joined(bands: list[Band]) -> tuple[Band, ...]:
    """Return bands of one fault that began and ended together as one."""
    found: dict[tuple[str, int, int], Band] = {}
    for band in bands:
        key = (band.label, band.begun_ns, band.ended_ns)
        known = found.get(key)
        found[key] = band if known is None else known._replace(targets=(*known.targets, *band.targets))
    return tuple(found.values())
