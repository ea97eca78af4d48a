"""Everybody in a run: the players of the clients, and the two hands of the harness.

`harness` makes the rooms before the first step and reads them whole at the end. `fence` exists only where the
server can say nothing about positions: it is a member of every room and sends markers.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.keeper.handle import Keeper
from harness.model.history import FENCE, HARNESS
from harness.model.plan import Client, Plan, Room
from harness.run.driver import Driver
from harness.run.fences import Fences
from harness.run.names import Names
from harness.run.occupants import Occupants
from harness.run.player import Player
from harness.run.recorder import Recorder
from harness.run.server import Server
from harness.run.settings import CouldNotRunError, Settings
from harness.run.sightings import Sightings
from harness.verbs.stage import Answer, together

PROVISION_S = 10.0


class Cast:
    """The players of one run.

    Args:
        plan: who plays.
        keeper: starts their processes.
        recorder: told everything.
        settings: which driver.
        server: whom they talk to.
        logs: folder for their logs.
        row: mark of the scenario row, and suffix of their ids.
    """

    def __init__(
        self,
        plan: Plan,
        keeper: Keeper,
        recorder: Recorder,
        settings: Settings,
        server: Server,
        *,
        logs: Path,
        row: str,
    ) -> None:
        self.sightings = Sightings()
        self.fault: asyncio.Future[CouldNotRunError] = asyncio.get_running_loop().create_future()
        """Settled when a driver breaks its protocol."""
        self.server = server
        self._plan = plan
        self._keeper = keeper
        self._recorder = recorder
        self._command = shlex.split(settings.driver) if settings.driver is not None else None
        self._logs = logs
        self._row = row
        self._names = Names(plan, row)
        self._messages: dict[tuple[str, str, str], str] = {}
        recorder.listen(self.sightings.watch)
        self.occupants = Occupants(plan)
        """Who is in which room now."""
        recorder.listen(self.occupants.watch)
        self.players = {client.name: self._player(client) for client in plan.clients}
        self.harness = self._player(Client(name=HARNESS, user=HARNESS, display_name=HARNESS), "harness")
        self._marker = self._player(Client(name=FENCE, user=FENCE, display_name=FENCE))
        self.fences = Fences(self.occupants, self._names, recorder, self._marker_online)

    async def prepare(self) -> None:
        """Start the process of the harness, which needs no server yet."""
        await self.harness.start()

    async def provision(self) -> None:
        """Make the rooms with their members.

        Raises:
            CouldNotRunError: the server does not let the harness in, or refuses a room.
        """
        await self._must(
            self.harness.connect(self.server.address, PROVISION_S, None), "connect to the server"
        )
        extra = (FENCE,) if self._markers else ()
        await together(
            self._must(
                self.harness.create(self._shown(room, extra), self._requested(room, extra), PROVISION_S),
                f"make room {room.name}",
            )
            for room in self._plan.rooms
        )

    def know(self, room: str, sender: str, key: str, message: str) -> None:
        """Remember which message of the plan goes out under this client message id."""
        self._messages[room, sender, key] = message

    async def create(self, client: str, room: Room, within_s: float, step: str) -> Answer:
        """Let a client make a room; where markers are used, their sender is in it from the start."""
        maker = self.players[client]
        extra = (FENCE,) if self._markers else ()
        others = dataclasses.replace(
            room,
            members=tuple(user for user in room.members if user != maker.client.user),
            admins=tuple(user for user in room.admins if user != maker.client.user),
        )
        return await maker.create(self._shown(room, extra), self._requested(others, extra), within_s, step)

    def some(self, names: Iterable[str]) -> list[Player]:
        """Return the players of these clients."""
        return [self.players[name] for name in names]

    async def leave(self) -> None:
        """Send everybody home; when this returns, no process of the cast is left."""
        everybody = [*self.players.values(), self.harness, self._marker]
        await together(player.leave() for player in everybody)

    @property
    def _markers(self) -> bool:
        return "position" not in self.harness.capabilities and "order" in self.harness.capabilities

    async def _marker_online(self) -> Player:
        if not self._marker.online:
            await self._must(
                self._marker.connect(self.server.address, PROVISION_S, None), "connect as `fence`"
            )
        return self._marker

    async def _must(self, work: Any, what: str) -> None:
        answer = await work
        if answer.type != "ok":
            detail = ": ".join(part for part in (answer.code, answer.reason, answer.message) if part)
            player = self._marker if answer.process == FENCE else self.harness
            raise CouldNotRunError(
                f"the harness could not {what}: {detail}",
                process=answer.process,
                last_lines=player.last_lines() or self.server.last_lines(),
                help="before the first step chatsim makes the rooms, with an admin's rights; see the server's log",
            )

    def _shown(self, room: Any, extra: tuple[str, ...]) -> dict[str, Any]:
        return {
            "room": room.name,
            "members": [*room.members, *extra],
            "admins": list(room.admins),
            "history": room.history,
            "entry": room.entry,
        }

    def _requested(self, room: Any, extra: tuple[str, ...] = ()) -> dict[str, Any]:
        return {
            "room": self._names.room_id(room.name),
            "members": [self._names.user_id(user) for user in (*room.members, *extra)],
            "admins": [self._names.user_id(user) for user in room.admins],
            "history": room.history,
            "entry": room.entry,
        }

    def _player(self, client: Client, role: str = "client") -> Player:
        everybody = [
            {
                "client": other.name,
                "user": self._names.user_id(other.user),
                "display_name": other.display_name,
                "number": number,
            }
            for number, other in enumerate(self._plan.clients, start=1)
        ]
        setup = {
            "client": client.name,
            "user": self._names.user_id(client.user),
            "display_name": client.display_name,
            "consumer": client.consumer,
            "receive": client.receive,
            "acks": client.acks,
            "include_own": client.include_own,
            **({"window": client.window} if client.window is not None else {}),
            **({"handles_per_s": client.handles_per_s} if client.handles_per_s is not None else {}),
            "role": role,
            "run": self._row,
            "cast": everybody,
            "rooms": [self._requested(room) for room in self._plan.rooms],
        }
        return Player(
            client,
            setup,
            self._names,
            self._recorder,
            identify=lambda room, sender, key: self._messages.get((room, sender, key)),
            spawn=functools.partial(self._spawn, client),
            on_fault=self._broken,
        )

    async def _spawn(
        self, client: Client, process: str, listener: Callable[[Mapping[str, Any]], None]
    ) -> Driver:
        log = self._logs / f"{process.replace('/', '_')}.log"
        command = self._command if client.command is None else shlex.split(client.command)
        return await Driver.start(process, self._keeper, command, log, self._row, listener, dict(client.env))

    def _broken(self, process: str, sentence: str) -> None:
        if not self.fault.done():
            self.fault.set_result(
                CouldNotRunError(
                    f"{process}: {sentence}",
                    process=process,
                    help="a driver speaks the protocol of docs/driver-protocol.md on its standard output",
                )
            )
