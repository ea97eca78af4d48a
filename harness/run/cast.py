"""Everybody in a run: the players of the clients, and the two hands of the harness.

`harness` makes the rooms before the first step and reads them whole at the end. `fence` exists only where the
server can say nothing about positions: it is a member of every room and sends markers.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import shlex
import signal
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.keeper.handle import Keeper
from harness.model.cast import Client, Room
from harness.model.history import FENCE, HARNESS
from harness.model.plan import Plan
from harness.run import needs
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
        """Settled when a driver breaks its protocol, or the run cannot go on for another reason that is ours."""
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

    def words(self) -> dict[str, str]:
        """Return what the server's command may be told of the cast; ask when the harness has been prepared."""
        numbers = dict(needs.group(self._plan))
        if self._markers and numbers:
            numbers[FENCE] = self._number_of_fence
        return {
            "members": needs.words(self._names.user_id(user) for user in numbers),
            "member_numbers": needs.words(numbers.values()),
        }

    def is_outsider(self, player: Player, code: str) -> bool:
        """Whether a connect refused with this status only says that the player is in no room."""
        return needs.may_be_turned_away(self._plan, player.client, code)

    async def knock(self, address: Mapping[str, Any], within_s: float) -> bool:
        """Ask the driver of the harness whether a server answers there."""
        return await self.harness.knock(address, within_s)

    async def provision(self) -> None:
        """Make the rooms with their members, where a server makes rooms.

        Raises:
            CouldNotRunError: the server does not let the harness in, or refuses a room.
        """
        makes = "rooms" in self.harness.capabilities
        if not makes and "history" not in self.harness.capabilities:
            return  # the server knows its one room, and the harness has nothing to ask it
        await self._must(
            self.harness.connect(self.server.address(HARNESS), PROVISION_S, None), "connect to the server"
        )
        await together(
            self._must(
                self.harness.create(
                    self._shown(room, self._extra), self._requested(room, self._extra), PROVISION_S
                ),
                f"make room {room.name}",
            )
            for room in self._plan.rooms
            if makes
        )

    async def renew_harness(self) -> None:
        """Let a new process act for the harness: nothing that the old one knows, holds or suffers from counts now."""
        if not await self.harness.quit(PROVISION_S):
            await self.harness.kill(signal.SIGKILL, PROVISION_S)
        await self.harness.connect(self.server.address(HARNESS), PROVISION_S, None)

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

    def roll_call(self) -> str:
        """Say in a few words who is there and who is not."""
        there = [name for name, player in self.players.items() if player.online and not player.frozen]
        absent = [name for name in self.players if name not in there]
        server = "down" if self.server.down else "frozen" if self.server.frozen else "alive"
        return f"the server is {server}, online: {', '.join(there) or 'nobody'}" + (
            f", not: {', '.join(absent)}" if absent else ""
        )

    async def leave(self) -> None:
        """Send everybody home; when this returns, no process of the cast is left."""
        everybody = [*self.players.values(), self.harness, self._marker]
        await together(player.leave() for player in everybody)

    @property
    def _markers(self) -> bool:
        return _by_marker(self.harness.capabilities)

    @property
    def _extra(self) -> tuple[str, ...]:
        return (FENCE,) if self._markers else ()

    @property
    def _number_of_fence(self) -> int:
        return len(self._plan.clients) + 1

    async def _marker_online(self) -> Player:
        if not self._marker.online:
            await self._must(
                self._marker.connect(self.server.address(FENCE), PROVISION_S, None), "connect as `fence`"
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
            **({"readers": list(room.readers)} if room.readers else {}),
            "history": room.history,
            "entry": room.entry,
        }

    def _requested(self, room: Any, extra: tuple[str, ...] = ()) -> dict[str, Any]:
        return {
            "room": self._names.room_id(room.name),
            "members": [self._names.user_id(user) for user in (*room.members, *extra)],
            "admins": [self._names.user_id(user) for user in room.admins],
            **({"readers": [self._names.user_id(user) for user in room.readers]} if room.readers else {}),
            "history": room.history,
            "entry": room.entry,
        }

    def _player(self, client: Client, role: str = "client") -> Player:
        return Player(
            client,
            lambda capabilities: self._setup(client, role, capabilities),
            self._names,
            self._recorder,
            identify=lambda room, sender, key: self._messages.get((room, sender, key)),
            spawn=functools.partial(self._spawn, client),
            on_fault=self.broken,
        )

    def _setup(self, client: Client, role: str, capabilities: frozenset[str]) -> dict[str, Any]:
        everybody = [(other.name, other.user, other.display_name) for other in self._plan.clients]
        extra: tuple[str, ...] = ()
        if _by_marker(capabilities):  # whoever sends markers is one more member of every room
            everybody.append((FENCE, FENCE, FENCE))
            extra = (FENCE,)
        return {
            "client": client.name,
            "user": self._names.user_id(client.user),
            "display_name": client.display_name,
            "consumer": client.consumer,
            "receive": needs.reading(client, capabilities),
            "acks": client.acks,
            "include_own": client.include_own,
            **({"sends": client.sends} if client.sends != "unary" else {}),
            **_token(client),
            **({"window": client.window} if client.window is not None else {}),
            **({"handles_per_s": client.handles_per_s} if client.handles_per_s is not None else {}),
            "role": role,
            "run": self._row,
            "cast": [
                {"client": name, "user": self._names.user_id(user), "display_name": shown, "number": number}
                for number, (name, user, shown) in enumerate(everybody, start=1)
            ],
            "rooms": [self._requested(room, extra) for room in self._plan.rooms],
        }

    async def _spawn(
        self, client: Client, process: str, listener: Callable[[Mapping[str, Any]], None]
    ) -> Driver:
        log = self._logs / f"{process.replace('/', '_')}.log"
        command = self._command if client.command is None else shlex.split(client.command)
        return await Driver.start(process, self._keeper, command, log, self._row, listener, dict(client.env))

    def broken(self, process: str, sentence: str) -> None:
        """End the run, because a driver, or what passes its calls, does not do its part."""
        self.give_up(
            CouldNotRunError(
                f"{process}: {sentence}",
                process=process,
                help="a driver speaks the protocol of docs/driver-protocol.md on its standard output",
            )
        )

    def give_up(self, fault: CouldNotRunError) -> None:
        """End the run; of several reasons the first counts."""
        if not self.fault.done():
            self.fault.set_result(fault)


def _token(client: Client) -> dict[str, Any]:
    if client.token == "valid":  # noqa: S105 - the kind of one
        return {}
    text = {} if client.token_text is None else {"text": client.token_text}
    return {"token": {"kind": client.token, **text}}


def _by_marker(capabilities: frozenset[str]) -> bool:
    """Whether absence is best shown by a message of ours on the same way."""
    return "position" not in capabilities and "order" in capabilities
