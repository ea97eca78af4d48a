"""The faults of a run, from their invocation until they are over on all their targets."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator

from harness.model.history import Op
from harness.run.clock import Clock


class Ongoing:
    """One fault."""

    def __init__(self, verb: str, targets: Iterable[str], began: Op) -> None:
        self.verb = verb
        self.pointer = began.step
        self.left = set(targets)
        """Those on whom it is not over."""
        self.over_ns: dict[str, int] = {}
        self.healed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.timer: asyncio.Task[None] | None = None
        """Heals it after its `for`."""
        self.waiting = True
        """Whether that has not begun yet."""

    def touches(self, names: Iterable[str], since_ns: int) -> bool:
        """Whether it was active on one of these at some moment since."""
        return any(name in self.left or self.over_ns.get(name, -1) >= since_ns for name in names)


class Faults:
    """All faults, by id; the scenario clock is held at real rate while one is active.

    Args:
        clock: which to hold.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: dict[str, Ongoing] = {}

    def __bool__(self) -> bool:
        """Whether there ever was one."""
        return bool(self._all)

    def __contains__(self, fault: str) -> bool:
        return fault in self._all

    def __getitem__(self, fault: str) -> Ongoing:
        return self._all[fault]

    def touched(self, names: Iterable[str], since_ns: int) -> bool:
        """Whether one was active on one of these at some moment since, in the recorder's time."""
        wanted = tuple(names)
        return any(fault.touches(wanted, since_ns) for fault in self._all.values())

    def timed(self) -> list[Ongoing]:
        """Return those that are healed after their `for`."""
        return [fault for fault in self._all.values() if fault.timer is not None]

    def active(self, verbs: Collection[str]) -> Iterator[tuple[str, Ongoing]]:
        """Yield (id, fault) of those of these verbs that are not over."""
        for id_, fault in self._all.items():
            if fault.verb in verbs and fault.left:
                yield id_, fault

    def begin(self, id_: str, verb: str, targets: Iterable[str], began: Op) -> None:
        """One begins."""
        self._all[id_] = Ongoing(verb, targets, began)
        self._clock.enter()  # until it is over

    def end(self, fault: Ongoing, targets: Iterable[str], now_ns: int) -> None:
        """One is over on these targets."""
        ended = fault.left.intersection(targets)
        fault.left -= ended
        fault.over_ns.update(dict.fromkeys(ended, now_ns))
        if ended and not fault.left:
            fault.healed.set_result(None)
            self._clock.leave()
