"""A plan told as a screenplay: cast, numbered steps, what everyone has at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.model.actions import Send
from harness.model.cast import Client
from harness.model.plan import Inbox, Plan
from harness.model.steps import Parallel, Step
from harness.model.verdict import FAMILIES
from harness.verbs import VERBS, outlook
from harness.verbs.phrases import count, duration, listing, names
from harness.verbs.when import told

_WIDTH = 78
_ALWAYS = {
    "no-loss": "nothing acknowledged is lost",
    "no-duplicate": "nothing comes twice without cause",
    "no-phantom": "nothing comes that nobody sent",
    "members-only": "members only",
    "no-echo": "nobody hears themselves",
    "one-order": "one order for all",
    "cursors": "cursors never go back",
    "claims": "no false claims",
}


def explain(plan: Plan, rows_of_file: Sequence[str] = ()) -> str:
    """Return the screenplay of a plan; ends with a newline.

    Args:
        plan: what is told.
        rows_of_file: names of all plans of the same file, when it has a `matrix`.
    """
    room = _WIDTH - len(plan.title)
    rows = (
        [f"{plan.title}{plan.file:>{room}}"] if len(plan.file) + 2 <= room else [plan.title, f"  {plan.file}"]
    )
    if plan.description:
        rows += _wrapped("", plan.description.split(), " ")
    rows += _wrapped("cast", list(_cast(plan)), "; ")
    told = ["looks at tokens"] * (plan.auth == "tokens")
    told += [f"{name} {text}" for name, text in plan.options.items()]
    if told:
        rows += _wrapped("server", told, ", ")
    for said in (*_people_with_other_names(plan), *_ways_of_receiving(plan)):
        rows += _wrapped("", [said], "")
    digits = max(2, len(str(len(plan.steps))))
    for number, step in enumerate(plan.steps, 1):
        rows += _step(f"{number:>{digits}}", step)
    if plan.workload is not None:
        rows += _wrapped("beside" if plan.steps else "all play", outlook.acts(plan.workload).split(), " ")
        rows += [
            row for told in outlook.faults(plan.workload) for row in _wrapped("nemesis", told.split(), " ")
        ]
        rows += _wrapped("seed", [str(plan.seed)], "")
    if plan.listen_ns:
        rows += _wrapped("then", [f"all go on listening for {duration(plan.listen_ns)}"], "")
    if plan.listed:
        rows += _wrapped("at the end", list(_endings(plan)), " · ")
    if len(rows_of_file) > 1:
        rows += _wrapped("rows", list(rows_of_file), ", ")
    rows += _wrapped("always", [_ALWAYS[family] for family in FAMILIES], ", ")
    if plan.limits:
        told = [f"{name} {duration(limit)}" for name, limit in plan.limits.items()]
        rows += _wrapped("limits", told, ", ")
    if plan.required:
        rows += _wrapped("required", list(plan.required), ", ")
    return "\n".join(row.rstrip() for row in rows) + "\n"


def sentence(step: Step) -> str:
    """Return one step as a sentence without full stop: `after 5 s, bob and chad come online`."""
    said = VERBS[step.action.verb].sentence(step)
    if step.when is not None:
        pause = f" and {duration(step.after_ns)} later" if step.after_ns else ""
        said = f"{told(step)}{pause}, {said}"
    elif step.after_ns:
        said = f"after {duration(step.after_ns)}, {said}"
    return said if step.at_ns is None else f"at {duration(step.at_ns)}, {said}"


def _step(head: str, step: Step) -> list[str]:
    if isinstance(step.action, Parallel):
        return [*_wrapped(head, sentence(step).split(), " "), *_lanes(step.action, len(head) + 4)]
    *rows, row = _wrapped(head, sentence(step).split(), " ")
    label = _label(step)
    if not label:
        return [*rows, row]
    if len(row) + 2 + len(label) > _WIDTH:
        rows.append(row)
        row = ""
    return [*rows, f"{row}{label:>{_WIDTH - len(row)}}"]


def _lanes(action: Parallel, indent: int) -> Iterator[str]:
    """Each lane with its name before its first step."""
    cells = max(len(lane.name) for lane in action.lanes)
    for lane in action.lanes:
        for place, step in enumerate(lane.steps):
            name = "" if place else lane.name
            yield from _step(f"{' ' * (indent - 2)}{name:<{cells}}", step)


def _label(step: Step) -> str:
    """The ids that a send gives to its messages."""
    if not isinstance(step.action, Send) or step.action.id.startswith("@"):
        return ""
    ids = [id_ for _, id_, _ in step.action.messages()]
    return f"({listing(ids)})" if len(ids) < 4 else f"({ids[0]} … {ids[-1]})"


def _cast(plan: Plan) -> Iterator[str]:
    """Who is in which room; those in none last."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for client in plan.clients:
        rooms = tuple(room.name for room in plan.rooms if client.user in room.members)
        groups.setdefault(rooms, []).append(client.name)
    for rooms, people in sorted(groups.items(), key=lambda group: not group[0]):
        yield f"{listing(people)} in {names(rooms) or 'no room'}"


def _people_with_other_names(plan: Plan) -> Iterator[str]:
    shown: dict[str, list[str]] = {}
    for client in plan.clients:
        if client.display_name != client.name:
            shown.setdefault(client.display_name, []).append(client.name)
    for display_name, people in shown.items():
        verb = {1: "is", 2: "are both"}.get(len(people), "are all")
        yield f"{names(people)} {verb} called {display_name}"
    devices: dict[str, list[Client]] = {}
    for client in plan.clients:
        devices.setdefault(client.user, []).append(client)
    for user, clients in devices.items():
        if len(clients) > 1:
            yield f"{names(client.name for client in clients)} are {count(len(clients), 'device')} of {user}"


def _ways_of_receiving(plan: Plan) -> Iterator[str]:
    """Who is not simply pushed what is new, and acknowledges it at once."""
    for room in plan.rooms:
        if room.readers:
            yield f"{names(room.readers)} only {'reads' if len(room.readers) == 1 else 'read'} in {room.name}"
    ways: dict[str, list[str]] = {}
    for client in plan.clients:
        if client.receive == "poll":
            ways.setdefault("by polling all the time", []).append(client.name)
        elif client.receive == "manual":
            ways.setdefault("only when told to poll", []).append(client.name)
    for way, people in ways.items():
        yield f"{names(people)} {'receives' if len(people) == 1 else 'receive'} {way}"
    for client in plan.clients:
        habits = []
        if client.acks == "manual":
            habits.append("acknowledges by hand")
        if client.sends == "stream":
            habits.append("sends by an open stream")
        if client.handles_per_s is not None:
            habits.append(f"takes {client.handles_per_s:g} messages a second")
        if client.window is not None:
            habits.append(f"wants at most {count(client.window, 'message')} unacknowledged")
        if client.stay_offline:
            habits.append("is not brought back at the end")
        if client.token != "valid":  # noqa: S105 - the kind of one
            habits.append(f"shows a token that is {client.token}")
        if client.command is not None:
            habits.append("has a driver of its own")
        if habits:
            yield f"{client.name} {names(habits)}"


def _endings(plan: Plan) -> Iterator[str]:
    """What each listed client has; neighbours with equal inboxes together."""
    said: dict[str, list[str]] = {}
    for client in plan.listed:
        said.setdefault(_ending([box for box in plan.inboxes if box.client == client]), []).append(client)
    for what, people in said.items():
        yield f"{listing(people)}: {what}"


def _ending(boxes: list[Inbox]) -> str:
    full = [box for box in boxes if box.items]
    if not full:
        return "nothing"
    parts = []
    for box in full:
        items = ", ".join(item.written for item in box.items)
        parts.append(f"{items} in {box.room}" if len(boxes) > 1 else items)
    return "; ".join(parts)


def _wrapped(head: str, parts: list[str], separator: str) -> list[str]:
    """Lay out `parts` behind `head`, breaking between parts only."""
    lead = f"  {head}  " if head else "  "
    indent = " " * len(lead)
    rows, row = [], lead
    for number, part in enumerate(parts):
        piece = part + (separator if number < len(parts) - 1 else "")
        if len(row) + len(piece.rstrip()) > _WIDTH and row.strip() not in ("", head):
            rows.append(row.rstrip())
            row = indent
        row += piece
    return [*rows, row]
