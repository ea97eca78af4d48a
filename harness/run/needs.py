"""What a scenario needs of a server and its driver, derived from its plan alone; the one place that knows.

A need that is not met skips the scenario, before anything is played: it says nothing about the server that the
driver named no capability for. What no script asks for (positions, an audit, an order) is never a need: without
it the judge uses a weaker grade, or says `not applicable`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from harness.model.actions import RotateKeys
from harness.model.calls import CallFault
from harness.model.cast import Client, Receive
from harness.model.disk import DiskFault
from harness.model.history import SERVER
from harness.model.plan import Plan
from harness.model.steps import Step
from harness.run.command import address_of, uses
from harness.run.disk import obstacle

#: Verb -> the capability without which it cannot be played.
VERB_NEEDS: Final[Mapping[str, str]] = {
    "create": "rooms",
    "join": "rooms",
    "leave": "rooms",
    "add": "kick",
    "kick": "kick",
    "poll": "poll",
    "ack": "ack",
    "gone": "history",
    "rotate_keys": "keys",
}
#: What `receive` may say -> the capability for it.
READING_NEEDS: Final[Mapping[Receive, str]] = {"stream": "stream", "poll": "poll", "manual": "poll"}
#: Verbs that need a server of our own when it is their target -> the capability for it.
SERVER_FAULTS: Final[Mapping[str, str | None]] = {
    "kill": "restart",
    "start": "restart",
    "restart": "restart",
    "pause": None,
    "resume": None,
    "disk_full": None,
    "read_only": None,
}
#: With these a client may come into a room that it was not in when the script began.
_COMING_IN: Final = frozenset({"create", "join", "add"})
#: How a server that is there says that somebody is not one of its own.
TURNED_AWAY: Final = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED", "NOT_FOUND"})


class SkippedError(Exception):
    """The scenario needs what this server, or this driver, cannot do; the text says what, and where."""


class Need(NamedTuple):
    """One thing that a scenario needs."""

    capabilities: tuple[str, ...]
    """Any of these will do."""
    what: str
    """What needs it, as the author wrote it."""
    line: int | None


def check(plan: Plan, capabilities: Collection[str]) -> None:
    """See that a driver can do all that a plan asks for.

    Raises:
        SkippedError: it cannot.
    """
    missing = [need for need in needs(plan, capabilities) if not set(need.capabilities) & set(capabilities)]
    if missing:
        lacking = dict.fromkeys(" or ".join(f"`{word}`" for word in need.capabilities) for need in missing)
        first = missing[0]
        raise SkippedError(f"the driver lacks {', '.join(lacking)}: {_placed(first.what, first.line)}")


def check_server(plan: Plan, *, by_own_driver: bool = False) -> None:
    """See that a plan can be played against a server that chatsim did not start.

    Args:
        plan: which.
        by_own_driver: by the driver for chatsys, which makes tokens of the keys in the server's data directory.

    Raises:
        SkippedError: it starts, ends or stops the server, fills its disk, or needs its keys.
    """
    for step in all_steps((plan.steps, plan.workload)):
        if _strikes_server(step):
            what = _placed(f"`{step.action.verb}: {SERVER}`", plan.line(step.pointer))
            raise SkippedError(f"a running server is not ours to stop: {what}")
    if by_own_driver:
        for step in all_steps(plan.steps):
            if isinstance(step.action, RotateKeys):
                what = _placed("`rotate_keys`", plan.line(step.pointer))
                raise SkippedError(f"the keys of a running server are not ours to change: {what}")
        if plan.auth == "tokens":
            what = _placed("`auth: tokens`", _line(plan, "/server/auth", "/server"))
            raise SkippedError(f"the keys of a running server are not ours to make tokens with: {what}")
    bad = next((client for client in plan.clients if client.token != "valid"), None)  # noqa: S105 - the kind
    if by_own_driver and bad is not None:
        what = _placed(
            f"{bad.name} shows a bad `token`", _line(plan, f"/clients/{bad.name}/token", "/clients")
        )
        raise SkippedError(f"the keys of a running server are not ours to make tokens with: {what}")


def check_options(plan: Plan, server: str | None) -> None:
    """See that the server can be given the options of a plan; `server` as in `Settings`.

    Raises:
        SkippedError: it runs already, or its command has no place for them.
    """
    if not plan.options or server is None or uses(server, "options"):
        return
    name = next(iter(plan.options))
    what = _placed(f"`{name}`", _line(plan, f"/server/options/{name}", "/server"))
    if address_of(server) is not None:
        raise SkippedError(f"a running server is not ours to set up: {what}")
    raise SkippedError(f"the command of the server has no {{options}} to tell it by: {what}")


def check_machine(plan: Plan) -> None:
    """See that this machine, and this user, can do all that a plan asks for.

    Raises:
        SkippedError: they cannot.
    """
    for step in all_steps(plan.steps):
        if isinstance(step.action, DiskFault) and (why := obstacle(step.action.verb)):
            raise SkippedError(f"{_placed(f'`{step.action.verb}`', _line(plan, step.pointer))}: {why}")


def needs(plan: Plan, capabilities: Collection[str] = ()) -> Iterator[Need]:
    """Yield what a plan needs, in the order of the file.

    Args:
        plan: which.
        capabilities: what the driver can do: it decides how clients receive whose author did not say.
    """
    for client in plan.clients:
        receive = reading(client, capabilities)
        where = _line(plan, f"/clients/{client.name}/receive", "/receive")
        alternatives = (READING_NEEDS[receive],) if client.receive_given else ("stream", "poll")
        yield Need(alternatives, f"{client.name} must receive by {' or '.join(alternatives)}", where)
        if client.acks == "manual":
            line = _line(plan, f"/clients/{client.name}/acks", "/clients")
            yield Need(("ack",), f"{client.name} acknowledges by hand", line)
        if client.sends == "stream":
            line = _line(plan, f"/clients/{client.name}/sends", "/clients")
            yield Need(("batch",), f"{client.name} sends by a stream", line)
        if client.token != "valid":  # noqa: S105 - the kind of one
            line = _line(plan, f"/clients/{client.name}/token", "/clients")
            yield Need(("auth",), f"{client.name} shows a bad `token`", line)
    if plan.auth == "tokens":
        yield Need(("auth",), "`auth: tokens`", _line(plan, "/server/auth", "/server"))
    if len(plan.rooms) > 1:
        yield Need(("rooms",), f"there are {len(plan.rooms)} rooms", _line(plan, "/rooms"))
    elif plan.rooms:
        yield Need(("rooms", "one-room"), "there is a room", _line(plan, "/rooms"))
    for room in plan.rooms:
        if room.readers:
            line = _line(plan, f"/rooms/{room.name}/readers", "/rooms")
            yield Need(("readers",), f"{room.name} has `readers`", line)
    for step in all_steps((plan.steps, plan.workload)):
        verb, line = step.action.verb, plan.line(step.pointer)
        if (needed := VERB_NEEDS.get(verb)) is not None:
            yield Need((needed,), f"`{verb}`", line)
        if isinstance(step.action, CallFault):
            yield Need(("grpc",), f"`{verb}`", line)
        if _strikes_server(step) and (needed := SERVER_FAULTS[verb]) is not None:
            yield Need((needed,), f"`{verb}: {SERVER}`", line)


def reading(client: Client, capabilities: Collection[str]) -> Receive:
    """Return how a client receives: as its author wrote, else by stream, else as the driver can."""
    if client.receive_given or client.receive != "stream" or "stream" in capabilities:
        return client.receive
    return "poll" if "poll" in capabilities else "stream"


def group(plan: Plan) -> list[tuple[str, int]]:
    """Return (user, number) of all who are in some room when the script begins; numbers count the cast from 1."""
    members = {user for room in plan.rooms for user in room.members}
    numbers: dict[str, int] = {}
    for number, client in enumerate(plan.clients, start=1):
        numbers.setdefault(client.user, number)
    return [(user, number) for user, number in numbers.items() if user in members]


def may_be_turned_away(plan: Plan, client: Client, code: str) -> bool:
    """Whether a refused connect only says that an outsider hears nothing, as he should."""
    if any(client.user in room.members for room in plan.rooms):
        return False
    steps = all_steps((plan.steps, plan.workload))
    return code in TURNED_AWAY and not any(step.action.verb in _COMING_IN for step in steps)


def all_steps(found: Any) -> Iterator[Step]:
    """Yield the steps in `found` and those inside them, lanes included, in the order of the file."""
    if isinstance(found, Step):
        yield found
        yield from all_steps(found.action)
    elif isinstance(found, Mapping):
        yield from all_steps(tuple(found.values()))
    elif isinstance(found, (tuple, list)):
        for item in found:
            if not isinstance(item, str):
                yield from all_steps(item)
    elif dataclasses.is_dataclass(found):
        yield from all_steps([getattr(found, field.name) for field in dataclasses.fields(found)])


def _strikes_server(step: Step) -> bool:
    return step.action.verb in SERVER_FAULTS and any(
        value == SERVER or (isinstance(value, (tuple, list)) and SERVER in value)
        for value in (getattr(step.action, field.name) for field in dataclasses.fields(step.action))
    )


def _line(plan: Plan, *pointers: str) -> int | None:
    return next((plan.spans[pointer].line for pointer in pointers if pointer in plan.spans), None)


def _placed(what: str, line: int | None) -> str:
    return what if line is None else f"{what} (line {line})"


def words(items: Iterable[object]) -> str:
    """Join for the command line: by commas, without a blank."""
    return ",".join(map(str, items))
