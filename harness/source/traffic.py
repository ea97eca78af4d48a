"""What a workload's clients may do, one function a verb: it draws who does it, and where, among those who can.

`World` is what the draws so far have made of everybody. It cannot know what an answer, a fault or the script will
make of it: an act that finds its client in no state for it when its moment comes is passed over then, on record.

Adding a verb is one function and one line in `TRAFFIC`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.model.actions import Ack, Add, Connect, Disconnect, Join, Kick, Leave, Poll, Send
from harness.model.cast import Client, Room
from harness.model.steps import Action
from harness.source.dice import Dice


@dataclass(slots=True)
class World:
    """The clients and rooms of a workload, as its draws left them."""

    clients: Sequence[Client]
    rooms: Sequence[Room]
    online: dict[str, None] = field(init=False)
    """Names in a fixed order: what is drawn must not depend on hashes."""
    members: dict[str, dict[str, None]] = field(init=False)
    sent: int = 0

    def __post_init__(self) -> None:
        self.online = dict.fromkeys(client.name for client in self.clients)
        users = {client.user for client in self.clients}
        self.members = {
            room.name: dict.fromkeys(user for user in room.members if user in users) for room in self.rooms
        }

    def present(self) -> list[Client]:
        """Return those who are online."""
        return [client for client in self.clients if client.name in self.online]

    def admins(self) -> list[tuple[Client, Room]]:
        """Return who is online and may add to and remove from which room."""
        return [
            (client, room) for client in self.present() for room in self.rooms if client.user in room.admins
        ]

    def ordinary(self, room: Room) -> list[str]:
        """Return the members of a room who are no admins: those whose going leaves it one."""
        return [user for user in self.members[room.name] if user not in room.admins]

    def outside(self, room: Room) -> list[str]:
        """Return those who were members of a room from the start, and are not now."""
        users = {client.user for client in self.clients}
        return [user for user in room.members if user in users and user not in self.members[room.name]]


def _send(world: World, dice: Dice) -> Action | None:
    pairs = [
        (client, room)
        for client in world.present()
        for room in world.rooms
        if client.user in world.members[room.name]
    ]
    if not pairs:
        return None
    client, room = dice.pick(pairs)
    world.sent += 1
    return Send(
        senders=(client.name,),
        room=room.name,
        text=f"message {world.sent}",
        id=f"@w{world.sent}",
        outcome="any",
    )


def _poll(world: World, dice: Dice) -> Action | None:
    manual = [client.name for client in world.present() if client.receive == "manual"]
    return Poll(who=(dice.pick(manual),)) if manual else None


def _ack(world: World, dice: Dice) -> Action | None:
    by_hand = [client.name for client in world.present() if client.acks == "manual"]
    return Ack(who=(dice.pick(by_hand),)) if by_hand else None


def _disconnect(world: World, dice: Dice) -> Action | None:
    if len(world.online) < 2:
        return None
    name = dice.pick(list(world.online))
    del world.online[name]
    return Disconnect(who=(name,))


def _connect(world: World, dice: Dice) -> Action | None:
    away = [client.name for client in world.clients if client.name not in world.online]
    if not away:
        return None
    name = dice.pick(away)
    world.online[name] = None
    return Connect(who=(name,))


def _join(world: World, dice: Dice) -> Action | None:
    pairs = [
        (client, room)
        for client in world.present()
        for room in world.rooms
        if room.entry == "open" and client.user not in world.members[room.name]
    ]
    if not pairs:
        return None
    client, room = dice.pick(pairs)
    world.members[room.name][client.user] = None
    return Join(who=(client.name,), room=room.name)


def _leave(world: World, dice: Dice) -> Action | None:
    pairs = [
        (client, room)
        for client in world.present()
        for room in world.rooms
        if client.user in world.ordinary(room)
    ]
    if not pairs:
        return None
    client, room = dice.pick(pairs)
    del world.members[room.name][client.user]
    return Leave(who=(client.name,), room=room.name)


def _kick(world: World, dice: Dice) -> Action | None:
    found = [(by, room, user) for by, room in world.admins() for user in world.ordinary(room)]
    if not found:
        return None
    by, room, user = dice.pick(found)
    del world.members[room.name][user]
    return Kick(users=(user,), room=room.name, by=by.name)


def _add(world: World, dice: Dice) -> Action | None:
    found = [(by, room, user) for by, room in world.admins() for user in world.outside(room)]
    if not found:
        return None
    by, room, user = dice.pick(found)
    world.members[room.name][user] = None
    return Add(users=(user,), room=room.name, by=by.name)


@dataclass(frozen=True, slots=True)
class Habit:
    """One verb of a workload."""

    draw: Callable[[World, Dice], Action | None]
    """Returns None when nobody can do it now; else tells the world what it changes."""
    able: Callable[[World], bool] = lambda _world: True
    """Whether anybody can ever do it."""
    unable: str = ""
    """What to say when nobody can."""
    remedy: str = ""


def _some_admin(world: World) -> bool:
    return bool(world.admins())


#: Verb -> how it is drawn. What is not here, only a script can ask for.
TRAFFIC: Mapping[str, Habit] = {
    "send": Habit(
        _send,
        lambda world: any(world.members.values()),
        "nobody of the workload is in a room of it",
        "name members among its `clients`",
    ),
    "poll": Habit(
        _poll,
        lambda world: any(client.receive == "manual" for client in world.clients),
        "nobody of the workload reads by hand",
        "give somebody `receive: manual`, or remove `poll`",
    ),
    "ack": Habit(
        _ack,
        lambda world: any(client.acks == "manual" for client in world.clients),
        "nobody of the workload acknowledges by hand",
        "give somebody `acks: manual`, or remove `ack`",
    ),
    "disconnect": Habit(_disconnect),
    "connect": Habit(_connect),
    "join": Habit(
        _join,
        lambda world: any(room.entry == "open" for room in world.rooms),
        "no room of the workload lets everybody in",
        "give one `entry: open`, or remove `join`",
    ),
    "leave": Habit(
        _leave,
        lambda world: any(world.ordinary(room) for room in world.rooms),
        "nobody of the workload can leave a room of it",
        "admins stay: name other members among its `clients`",
    ),
    "kick": Habit(
        _kick, _some_admin, "nobody of the workload is an admin of a room of it", "give a room `admins`"
    ),
    "add": Habit(
        _add, _some_admin, "nobody of the workload is an admin of a room of it", "give a room `admins`"
    ),
}
