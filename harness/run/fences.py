"""When may we say "it will not come": a fence puts a point into what a client receives.

Three grades, the best available is used: by position (the server says how far its answers are complete), by
marker (a message of ours arrived by the same ordered path), by window (nothing came for a while). A client that
is not connected needs none, and one that is cut off can have a window only.

`Frontier` keeps the positions a fence must ask for. Positions are opaque, so none can be said to be the larger;
but one that was answered before another operation was invoked is included in that operation's, because both
come from one log. What remains is as many as there were operations at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from harness.model.history import FENCE, HARNESS, Op
from harness.run.names import Names
from harness.run.occupants import Occupants
from harness.run.player import Player
from harness.run.recorder import Recorder
from harness.verbs.stage import Answer, together

#: How long silence must last where nothing better than a window can be had.
DEFAULT_WINDOW_S = 0.5


class Frontier:
    """The positions that together include everything answered so far."""

    def __init__(self) -> None:
        self._invoked: dict[int, int] = {}
        self._kept: list[tuple[int, str]] = []

    def watch(self, op: Op) -> None:
        """Take note of one recorded operation."""
        if op.process == HARNESS and op.f == "connect" and op.type == "ok" and op.value.get("position"):
            # Includes whatever is stored by now, answered or not; a read's position may be an older one, so it
            # takes the place of none.
            self._kept.append((op.index, op.value["position"]))
        if op.f not in ("send", "create", "join", "leave", "add", "kick") or op.op is None:
            return
        if op.type == "invoke":
            self._invoked[op.op] = op.index
            return
        invoked = self._invoked.pop(op.op, op.index)
        position = op.value.get("position")
        if op.type == "ok" and position:
            self._kept = [(answered, kept) for answered, kept in self._kept if answered > invoked]
            self._kept.append((op.index, position))

    @property
    def positions(self) -> tuple[str, ...]:
        """What a fence must ask for now."""
        return tuple(dict.fromkeys(position for _, position in self._kept))


class Fences:
    """Fences of one run.

    Args:
        occupants: who is in which room now.
        names: names to ids.
        recorder: told of windows; players record the other grades themselves.
        marker: brings the player that sends markers online, where markers are used.
    """

    def __init__(
        self, occupants: Occupants, names: Names, recorder: Recorder, marker: Callable[[], Awaitable[Player]]
    ) -> None:
        self.frontier = Frontier()
        recorder.listen(self.frontier.watch)
        self._occupants = occupants
        self._names = names
        self._recorder = recorder
        self._marker = marker
        self._count = 0

    async def put(
        self,
        players: Sequence[Player],
        within_s: float,
        window_s: float | None,
        step: str | None,
        unreachable: Collection[str] = (),
    ) -> bool:
        """Fence these clients off at this moment.

        Args:
            players: those to fence; who is offline is passed over.
            within_s: how long the fences may take.
            window_s: how long to listen where only a window can be had; None for the default.
            step: the step it is done for.
            unreachable: clients that no fence comes through to now; a window must do.

        Returns:
            Whether every fence was reached.
        """
        online = [player for player in players if player.online]
        near = [player for player in online if player.client.name not in unreachable]
        by_position = [player for player in near if "position" in player.capabilities]
        rest = [player for player in near if "position" not in player.capabilities]
        by_marker = [player for player in rest if "order" in player.capabilities and self._rooms(player)]
        by_window = [player for player in online if player not in by_position and player not in by_marker]
        window = DEFAULT_WINDOW_S if window_s is None else window_s
        answers = await together(
            [
                *(self._by_position(player, within_s, step) for player in by_position),
                self._by_marker(by_marker, within_s, step),
                self._by_window(by_window, window, step),
            ]
        )
        flat = [answer for group in answers for answer in group]
        return all(answer.type == "ok" for answer in flat)

    def _rooms(self, player: Player) -> list[str]:
        return self._occupants.rooms_of(player.client.user)

    async def _by_position(self, player: Player, within_s: float, step: str | None) -> list[Answer]:
        positions = list(self.frontier.positions)
        value = {"grade": "position", "positions": positions}
        return [await player.fence(value, {"positions": positions}, within_s, step)]

    async def _by_marker(self, players: Sequence[Player], within_s: float, step: str | None) -> list[Answer]:
        if not players:
            return []
        marker = await self._marker()
        keys: dict[str, str] = {}
        for room in dict.fromkeys(room for player in players for room in self._rooms(player)):
            self._count += 1
            keys[room] = f"marker-{self._count}"
        sent = await together(
            marker.send(room, None, key, "marker", within_s, step) for room, key in keys.items()
        )
        reached = await together(self._await_markers(player, keys, within_s, step) for player in players)
        return [answer for answer, _ in sent] + list(reached)

    async def _await_markers(
        self, player: Player, keys: Mapping[str, str], within_s: float, step: str | None
    ) -> Answer:
        mine = {room: keys[room] for room in self._rooms(player)}
        sender = self._names.user_id(FENCE)
        request = {self._names.room_id(room): [key, sender] for room, key in mine.items()}
        value = {"grade": "marker", "markers": mine}
        return await player.fence(value, {"markers": request}, within_s, step)

    async def _by_window(self, players: Sequence[Player], window_s: float, step: str | None) -> list[Answer]:
        if not players:
            return []
        value = {"grade": "window", "window_ns": round(window_s * 1e9)}
        invoked = [self._recorder.invoke(player.process, "fence", value, step) for player in players]
        await asyncio.sleep(window_s)  # this grade is nothing but a time of listening
        for op in invoked:
            self._recorder.complete(op, "ok")
        return [Answer(player.process, "ok") for player in players]
