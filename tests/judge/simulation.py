"""A correct chat server and its clients, in memory: every history it plays must pass.

One log, dense sequences over all rooms' entries of a room, a cursor for each reader. `Choices` decides what
happens next, so that Hypothesis can shrink a history that should have passed to the shortest one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.model.actions import InboxItem
from harness.model.cast import Client, Room
from harness.model.history import Op
from harness.model.plan import Inbox, Plan
from tests.judge.notation import History

Item = TypeVar("Item")
Choose = Callable[[Sequence[Item]], Item]
CAPABILITIES = ["stream", "poll", "ack", "position", "order", "rooms", "kick", "history", "restart"]
ROOM = "lobby"


class Simulation:
    """Plays one room of `size` members and one outsider."""

    def __init__(self, size: int, steps: int, choose: Callable[[Sequence[str]], str]) -> None:
        self.people = [f"p{number}" for number in range(size)]
        self.outsider = "zed"
        self.history = History(CAPABILITIES, (*self.people, self.outsider))
        self._choose = choose
        self._log: list[tuple[str, str]] = []
        """(id, sender); the sequence is the place + 2, for the room's creation is 1."""
        self._read = dict.fromkeys(self.people, 1)
        """How far each process has been handed everything."""
        self._acked = dict.fromkeys(self.people, 1)
        self._online: set[str] = set()
        self._pending: list[tuple[str, str]] = []
        self._positions: list[str] = []
        self._number = 0
        self.delivered: list[tuple[str, str]] = []
        for _ in range(steps):
            self._step()
        self._end()

    @property
    def ops(self) -> list[Op]:
        return self.history.ops

    def plan(self) -> Plan:
        """Return the plan with everybody's inbox as a correct server fills it."""
        inboxes = []
        for who in self.people:
            ids = tuple(id_ for id_, sender in self._log if sender != who)
            items = tuple(
                InboxItem(pointer=f"/inboxes/{who}/{id_}", written=id_, series=((id_,),)) for id_ in ids
            )
            inboxes.append(Inbox(client=who, room=ROOM, pointer=f"/inboxes/{who}", items=items))
        names = (*self.people, self.outsider)
        return Plan(
            title="simulation",
            name="simulation",
            file="simulation.yaml",
            source="",
            clients=tuple(Client(name=name, user=name, display_name=name) for name in names),
            rooms=(Room(name=ROOM, members=tuple(self.people)),),
            steps=(),
            inboxes=tuple(inboxes),
            listed=names,
        )

    def _line(self, line: str) -> None:
        self.history.line(line)

    def _step(self) -> None:
        who = self._choose(self.people)
        action = self._choose(
            ["send", "read", "open", "store", "ack", "connect", "restart", "reconnect", "fence"]
        )
        online = who in self._online
        if action == "connect" and not online:
            self._connect(who)
        elif action == "send" and online:
            self._store(self._begin(who))
        elif action == "open" and online:
            self._pending.append((self._begin(who), "later"))
        elif action == "store" and self._pending:
            name, _ = self._pending.pop()
            if self._choose(["ok", "info", "never"]) == "ok":
                self._store(name)
            else:
                self._line(f"x sent {name} -> info")
        elif action == "read" and online:
            self._hand_over(who, limit=2)
        elif action == "ack" and online and self._read[who] > self._acked[who]:
            self._acked[who] = self._read[who]
            self._line(f"{who} acks {self._read[who]} -> ok {self._read[who]}")
        elif action == "restart" and online:
            self._line(f"{who} restarts")
            self._read[who] = self._acked[who]
        elif action == "reconnect" and online:
            self._line(f"{who} reconnects")
        elif action == "fence" and online and self._positions:
            self._hand_over(who)
            self._line(f"{who} fence {' '.join(self._positions)}")

    def _connect(self, who: str) -> None:
        self._online.add(who)
        self._line(f"{who} connect")

    def _begin(self, who: str) -> str:
        self._number += 1
        name = f"m{self._number}"
        self._line(f"{who} send {name} {ROOM} -> open")
        return name

    def _store(self, name: str) -> None:
        sender = self.history.sender(name)
        self._log.append((name, sender))
        position = f"at{len(self._log)}"
        self._positions.append(position)
        if self._choose(["first", "after"]) == "first":  # a delivery may be recorded before the send's ok
            for who in sorted(self._online):
                self._hand_over(who)
        self._line(f"x sent {name} -> ok {len(self._log) + 1} {position}")

    def _hand_over(self, who: str, limit: int | None = None) -> None:
        start = self._read[who]
        entries = self._log[start - 1 :]
        entries = entries[:limit]
        for place, (name, sender) in enumerate(entries, start=start + 1):
            if sender != who:
                self.delivered.append((who, name))
                self._line(f"{who} got {name} {place}")
        self._read[who] = start + len(entries)
        self._line(f"{who} claims {start}..{self._read[who]}")

    def _end(self) -> None:
        for name, _ in self._pending:
            self._line(f"x sent {name} -> info")
        for who in self.people:
            if who not in self._online:
                self._connect(who)
        if not self._log:
            self._store(self._begin(self.people[0]))
        self._line(f"{self.outsider} connect")
        for who in self.people:
            self._hand_over(who)
            self._line(f"{who} fence {' '.join(self._positions)}")
        self._line(f"{self.outsider} fence {' '.join(self._positions)}")
        stored = " ".join(f"{name}@{place}" for place, (name, _) in enumerate(self._log, start=2))
        self._line(f"audit {ROOM} {' '.join(self._positions)}: {stored}")
