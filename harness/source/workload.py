"""`workload`: random traffic, read and drawn from the seed into acts with their moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.model.actions import Connect
from harness.model.cast import Client, Room
from harness.model.steps import Step
from harness.model.workload import ACTS, Workload
from harness.source.dice import Dice
from harness.source.traffic import TRAFFIC, World
from harness.verbs import VERBS
from harness.verbs.keys import Keys, bad_value, key, read_keys
from harness.verbs.kinds import (
    DURATION,
    NAMES,
    NS_PER_S,
    RATE,
    BadValueError,
    Item,
    Kind,
    describe,
    integer,
    read_duration,
    read_integer,
    read_items,
)
from harness.verbs.phrases import listing
from harness.verbs.problem import Place, Problem, did_you_mean, escape
from harness.verbs.scope import Scope

MAX_ACTS = 20_000
_MAX_WEIGHT = 1_000
_MIX_SCHEMA = {
    "type": "object",
    "properties": {
        verb: {"type": "integer", "minimum": 0, "maximum": _MAX_WEIGHT, "description": VERBS[verb].summary}
        for verb in TRAFFIC
    },
    "additionalProperties": False,
}


def _read_mix(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadValueError(
            f"a map of verbs and weights is wanted here, not {describe(value)}",
            "write `{send: 70, poll: 30}`",
            code="wrong-type",
        )
    return value


def _read_span(value: object) -> int:
    ns = read_duration(value)
    if ns == 0:
        raise BadValueError("a workload must last longer than nothing", code="bad-duration")
    return ns


def _read_rooms(value: object) -> Sequence[Item]:
    return read_items(value, "a room or a list of rooms")


@dataclass(frozen=True, kw_only=True)
class WorkloadKeys(Keys):
    """The keys of `workload`."""

    rate: float = key(RATE, "How many acts of all clients together: `100/s`, or `30/m`.")
    for_: int | None = key(
        Kind(_read_span, DURATION.schema),
        "How long it goes on, in real time: `30s`. Or give `count`.",
        default=None,
    )
    count: int | None = key(integer(1, MAX_ACTS), "How many acts there are. Or give `for`.", default=None)
    mix: Mapping[str, object] | None = key(
        Kind(_read_mix, _MIX_SCHEMA),
        "What they do, and how often in proportion: `{send: 70, poll: 30}`. `{send: 1}` unless given.",
        default=None,
    )
    clients: Sequence[Item] = key(NAMES, "Who takes part; all unless given.", default=())
    rooms: Sequence[Item] = key(
        Kind(_read_rooms, NAMES.schema), "Where it goes on; in all rooms unless given.", default=()
    )


@dataclass(slots=True)
class Traffic:
    """A `workload` that was read and checked, ready to be drawn."""

    keys: WorkloadKeys
    mix: Mapping[str, int]
    """Verb -> weight, those of weight 0 left out."""
    clients: tuple[Client, ...]
    rooms: tuple[Room, ...]
    acts: int = field(init=False)
    duration_ns: int = field(init=False)

    def __post_init__(self) -> None:
        per_act = NS_PER_S / self.keys.rate
        self.duration_ns = self.keys.for_ or int((self.keys.count or 1) * per_act)
        self.acts = self.keys.count or int(self.duration_ns / per_act)

    def draw(self, seed: int, faults: tuple[Step, ...]) -> Workload:
        """Draw every act: one in each slot of time, at a moment of its own in it."""
        dice = Dice(seed, "workload")
        world = World(self.clients, self.rooms)
        acts = []
        for number in range(self.acts):
            moment = int((number + dice.fraction()) * NS_PER_S / self.keys.rate)
            left = dict(self.mix)
            action = None
            while action is None and left:
                verb = dice.weighted(left)
                del left[verb]
                action = TRAFFIC[verb].draw(world, dice)
            if action is None:
                continue  # nobody can do any of it now
            pointer, within = f"{ACTS}{action.verb}/{number + 1}", VERBS[action.verb].within_ns
            acts.append(Step(pointer=pointer, action=action, at_ns=moment, within_ns=within))
        names = tuple(client.name for client in self.clients)
        connect = VERBS["connect"]
        return Workload(
            begin=Step(pointer="/workload", action=Connect(who=names), within_ns=connect.within_ns),
            rooms=tuple(room.name for room in self.rooms),
            rate_per_s=self.keys.rate,
            duration_ns=self.duration_ns,
            acts=tuple(acts),
            faults=faults,
        )


def read_workload(data: object, scope: Scope) -> Traffic | None:
    """Read and check `workload`; None after reporting what is wrong with it."""
    if not isinstance(data, dict):
        scope.report(
            Problem(
                code="wrong-type",
                pointer="/workload",
                message=f"a map is wanted here, not {describe(data)}",
                label="write `{rate: 20/s, for: 10s}`",
            )
        )
        return None
    keys = read_keys(WorkloadKeys, data, "/workload", scope.report, what="`workload`")
    clients = [scope.clients[name] for name, _ in scope.names(keys.clients, "/workload/clients")]
    rooms = _rooms(keys.rooms, scope)
    mix = _mix(keys, scope)
    whole = _length(keys, scope)
    if keys.broken or not whole or not mix or not scope.cast_known or not scope.rooms_known:
        return None
    everybody = tuple(clients if "clients" in keys.given else scope.clients.values())
    everywhere = tuple(rooms if "rooms" in keys.given else scope.rooms.values())
    if (keys.clients and not clients) or (keys.rooms and not rooms):
        return None
    scope.used |= {f"client {client.name}" for client in everybody}
    scope.used |= {f"room {room.name}" for room in everywhere}
    traffic = Traffic(keys, mix, everybody, everywhere)
    if traffic.acts == 0 or traffic.acts > MAX_ACTS:
        few = traffic.acts == 0
        scope.report(
            Problem(
                code="says-nothing" if few else "bad-value",
                pointer="/workload",
                message="not one act falls into this time" if few else f"this makes {traffic.acts:,} acts",
                label="a longer `for`, or a higher `rate`" if few else f"{MAX_ACTS:,} at most",
                on_key=True,
            )
        )
        return None
    return traffic if _able(traffic, scope) else None


def _mix(keys: WorkloadKeys, scope: Scope) -> dict[str, int]:
    """Return the weights; nothing after reporting what is wrong with them."""
    if keys.mix is None:
        return {} if "mix" in keys.broken else {"send": 1}
    mix: dict[str, int] = {}
    good = True
    for verb, weight in keys.mix.items():
        where = f"/workload/mix/{escape(verb)}"
        if verb not in TRAFFIC:
            good = False
            scope.report(
                Problem(
                    code="unknown-verb",
                    pointer=where,
                    message=f"a workload knows no `{verb[:70]}`",
                    label="only a script can ask for it" if verb in VERBS else did_you_mean(verb, TRAFFIC),
                    help=(f"verbs of a workload: {', '.join(TRAFFIC)}",),
                    on_key=True,
                )
            )
            continue
        try:
            mix[verb] = read_integer(weight, 0, _MAX_WEIGHT)
        except BadValueError as fault:
            good = False
            scope.report(bad_value(fault, where))
    if good and not any(mix.values()):
        good = False
        scope.report(
            Problem(
                code="says-nothing",
                pointer="/workload/mix",
                message="the mix has no verb with a weight above 0",
                label="write `{send: 1}`",
                on_key=True,
            )
        )
    return {verb: weight for verb, weight in mix.items() if weight} if good else {}


def _length(keys: WorkloadKeys, scope: Scope) -> bool:
    given = [word for word in ("for", "count") if word in keys.given]
    if len(given) == 1:
        return True
    scope.report(
        Problem(
            code="contradiction" if given else "missing-key",
            pointer="/workload/count" if given else "/workload",
            message="`for` and `count` both say how long the workload is"
            if given
            else "`workload` needs `for` or `count`: how long does it go on?",
            label="remove one" if given else "add `for: 10s`",
            on_key=True,
            related=(Place("/workload/for", "said here", on_key=True),) if given else (),
        )
    )
    return False


def _rooms(items: Sequence[Item], scope: Scope) -> list[Room]:
    found: dict[str, str] = {}
    for item in items:
        where = f"/workload/rooms{item.at}"
        if item.text in found:
            scope.twice(item.text, where, found[item.text])
        elif item.text in scope.rooms:
            found[item.text] = where
        elif scope.rooms_known:
            made = item.text in scope.room_names
            scope.report(
                Problem(
                    code="unknown-room",
                    pointer=where,
                    message=f"the room `{item.text}` is made by a step, and a workload needs it from the start"
                    if made
                    else f"no room is called `{item.text[:70]}`",
                    label="move it to `rooms`" if made else did_you_mean(item.text, scope.rooms),
                    help=(f"rooms: {listing(scope.rooms)}",) if scope.rooms else (),
                )
            )
    return [scope.rooms[name] for name in found]


def _able(traffic: Traffic, scope: Scope) -> bool:
    world = World(traffic.clients, traffic.rooms)
    able = True
    for verb in traffic.mix:
        habit = TRAFFIC[verb]
        if not habit.able(world):
            able = False
            written = "mix" in traffic.keys.given
            scope.report(
                Problem(
                    code="contradiction",
                    pointer=f"/workload/mix/{verb}" if written else "/workload",
                    message=f"nobody can `{verb}`: {habit.unable}",
                    label=habit.remedy,
                    on_key=True,
                )
            )
    return able
