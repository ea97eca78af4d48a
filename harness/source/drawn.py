"""What a file leaves to chance, `workload` and `nemesis`: read before the steps, drawn when the seed is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.model.plan import Inbox
from harness.model.workload import Workload
from harness.source.nemesis import Nemesis, hits, read_nemesis
from harness.source.reporter import Reporter
from harness.source.workload import Traffic, read_workload
from harness.verbs.problem import Place, Problem
from harness.verbs.scope import Scope

#: What the scope calls the step before all steps, in which a workload brings its clients online.
BEFORE = -1
_MOVES = frozenset({"connect", "disconnect"})
_MEMBERSHIP = frozenset({"join", "leave", "kick", "add"})


@dataclass(frozen=True, slots=True)
class Drawn:
    """The random parts of a file, as far as they could be read."""

    traffic: Traffic | None = None
    nemesis: Nemesis | None = None

    def draw(self, seed: int) -> Workload | None:
        """Draw everything from the seed; None when the file leaves nothing to chance."""
        if self.traffic is None:
            return None
        faults = () if self.nemesis is None else self.nemesis.draw(seed, self.traffic.duration_ns)
        return self.traffic.draw(seed, faults)

    def check_inboxes(self, inboxes: tuple[Inbox, ...], report: Reporter) -> None:
        """Report lists of what somebody receives in a room in which anything may be said."""
        rooms = {room.name for room in self.traffic.rooms} if self.traffic else set()
        for inbox in inboxes:
            if inbox.room in rooms:
                report(
                    Problem(
                        code="contradiction",
                        pointer=inbox.pointer,
                        message=f"the workload says what it likes in {inbox.room}, so nobody can list what"
                        f" {inbox.client} has received there",
                        label="remove it, or keep the workload out by its `rooms`",
                        related=(Place("/workload", "this workload", on_key=True),),
                    )
                )


def read_drawn(data: Mapping[str, Any], scope: Scope, report: Reporter) -> Drawn:
    """Read both keys, and let the scope know what the script will find: everybody online, and nothing certain."""
    traffic = read_workload(data["workload"], scope) if "workload" in data else None
    if traffic is not None:
        _begin(traffic, scope)
    elif "workload" in data:
        scope.presence_known = scope.members_known = False
    if "nemesis" not in data:
        return Drawn(traffic)
    if "workload" not in data:
        report(
            Problem(
                code="missing-key",
                pointer="/nemesis",
                message="a nemesis strikes while there is a workload, and there is none",
                label="add `workload`, or make its faults steps",
                on_key=True,
            )
        )
    people = None if traffic is None else [client.name for client in traffic.clients]
    nemesis = read_nemesis(data["nemesis"], scope, report, people)
    if nemesis is not None:
        scope.unsure |= set(hits(nemesis))
    return Drawn(traffic, nemesis)


def _begin(traffic: Traffic, scope: Scope) -> None:
    names = [client.name for client in traffic.clients]
    scope.online.update(dict.fromkeys(names, BEFORE))
    if _MOVES & traffic.mix.keys():
        scope.unsure.update(names)
    if _MEMBERSHIP & traffic.mix.keys():
        scope.members_known, scope.unsettled = False, True
