"""A small sequence diagram in characters: time runs down, a lane for each party, the server in the middle.

    draw ──▶ rows chosen (proof first) ──▶ each row painted on a `_Canvas` of cells

Invariants:
* At most `max_rows` rows and `width` cells, whatever the history; what is left out is counted in a last line.
* The operations that prove a violation are never left out in favour of others.
* A lane is solid while its party is connected (the server: running), dotted while it is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from harness.model.history import FENCE, HARNESS, NEMESIS, SCRIPT, SERVER, Op
from harness.report.early import connected_first
from harness.report.text import char_width, clip, count, safe, width
from harness.report.words import ending, message_name, refusal, say_op

_CLOCK = 10
_PITCH = 17


class Never(NamedTuple):
    """A delivery that did not happen: drawn where one would look for it."""

    client: str
    message: str
    time_ns: int
    """When it was certain."""


class _Row(NamedTuple):
    time: int
    rank: int
    """0 proof, 1 about the messages, 2 lives of the parties, 3 the rest."""
    source: str = ""
    target: str = ""
    label: str = ""
    note: str = ""
    """Instead of an arrow: in brackets on the lane of `source`, or across all lanes when there is none."""
    up: tuple[str, bool] | None = None
    """A lane that becomes solid with this row, or dotted after it."""


def lanes_that_fit(columns: int) -> int:
    """Return how many lanes a width has room for, the server's included."""
    return max(2, (columns - _CLOCK) // _PITCH)


def draw(
    ops: Iterable[Op],
    clients: Sequence[str],
    *,
    proof: Collection[int] = (),
    never: Sequence[Never] = (),
    unwanted: Collection[tuple[str, str]] = (),
    others: int = 0,
    columns: int = 80,
    max_rows: int = 12,
) -> list[str]:
    """Return the lines of a diagram.

    Args:
        ops: Operations, in order; completions carry the values of their invocation.
        clients: Lanes besides the server's, in the order of the cast; cut to what fits.
        proof: Indices of operations that must be shown.
        never: Deliveries that did not happen.
        unwanted: (client, message) of deliveries that should not have happened; they are marked.
        others: Clients that have no lane, for the note at the end.
        columns: Width in cells.
        max_rows: Rows under the head line.
    """
    shown = list(clients[: lanes_that_fit(columns) - 1])
    others += len(clients) - len(shown)
    lanes = _lanes(shown)
    rows = [
        row
        for op in _told(list(connected_first(ops, invoked=False)), proof)
        if (row := _row(op, lanes, proof, unwanted)) is not None
    ]
    rows += [_never(item) for item in never if item.client in lanes]
    rows.sort(key=lambda row: row.time)
    visible = [row for row in rows if row.label or row.note]
    order = sorted(range(len(visible)), key=lambda place: (visible[place].rank, place))
    kept = {id(visible[place]) for place in order[:max_rows]}
    canvas = _Canvas(lanes, columns)
    lines = [canvas.head()]
    for row in rows:
        if row.up is not None and row.up[1]:
            canvas.solid[row.up[0]] = True
        if id(row) in kept:
            lines.append(canvas.paint(row))
        if row.up is not None:
            canvas.solid[row.up[0]] = row.up[1]
    notes = []
    if others:
        notes.append(f"… {count(others, 'other')} not drawn")
    if len(visible) > len(kept):
        notes.append(f"… {count(len(visible) - len(kept), 'more event')} in history.jsonl")
    return [*lines, *(f"{' ' * _CLOCK}{note}" for note in notes)]


def _lanes(clients: Sequence[str]) -> list[str]:
    """Return the lanes from left to right: the server stands in the middle."""
    half = (len(clients) + 1) // 2
    return [*clients[:half], SERVER, *clients[half:]]


class Scroll:
    """The same diagram without an end: a line for each operation as it comes, nothing kept and nothing left out.

    Args:
        clients: Lanes besides the server's, as many as fit.
        proof: Indices of operations that prove a violation.
        unwanted: (client, message) of deliveries that should not have happened.
        columns: Width in cells.
    """

    def __init__(
        self,
        clients: Sequence[str],
        *,
        proof: Collection[int] = (),
        unwanted: Collection[tuple[str, str]] = (),
        columns: int = 80,
    ) -> None:
        self._lanes = _lanes(clients)
        self._proof = proof
        self._unwanted = unwanted
        self._canvas = _Canvas(self._lanes, columns)
        self._canvas.solid[SERVER] = False

    def head(self) -> str:
        """Return the line with the names."""
        return self._canvas.head()

    def line(self, op: Op) -> str:
        """Return the line of an operation; empty when there is nothing to see of it."""
        row = _row(op, self._lanes, self._proof, self._unwanted)
        if row is None:
            return ""
        if row.up is not None and row.up[1]:
            self._canvas.solid[row.up[0]] = True
        line = self._canvas.paint(row) if row.label or row.note else ""
        if row.up is not None:
            self._canvas.solid[row.up[0]] = row.up[1]
        return line

    def never(self, item: Never) -> str:
        """Return the line of a delivery that did not happen; empty when its client has no lane."""
        if item.client not in self._lanes:
            return ""
        return self._canvas.paint(_never(item))


def _never(item: Never) -> _Row:
    return _Row(time=item.time_ns, rank=0, source=item.client, note=f"✗ never got {item.message}")


def _told(ops: list[Op], proof: Collection[int]) -> list[Op]:
    """Return the operations without what is so in every run: the server's first start, everybody's going."""
    last = max((place for place, op in enumerate(ops) if op.f != "exit" or op.index in proof), default=-1)
    begun = False
    told = []
    for place, op in enumerate(ops):
        first, begun = op.f == "start" and not begun, begun or op.f == "start"
        gone = place > last and op.value.get("asked")
        if op.index in proof or not (first or gone):
            told.append(op)
    return told


def _row(
    op: Op, lanes: Sequence[str], proof: Collection[int], unwanted: Collection[tuple[str, str]]
) -> _Row | None:
    rank = 0 if op.index in proof else 3
    party = op.client
    if party in (SCRIPT, NEMESIS, HARNESS, FENCE):
        if party != NEMESIS and (rank or op.type == "invoke"):
            return None
        if party == NEMESIS and op.type == "ok" and rank:
            return None  # what came of it stands in the lanes of its targets
        return _Row(time=op.time, rank=min(rank, 1), note=f"{party}: {say_op(op)}")
    if party not in lanes:
        if op.f in MEMBERSHIPS and op.type == "ok":  # an admin of whom nothing else is told
            return _Row(time=op.time, rank=min(rank, 1), note=f"{party}: {_moved(op)}")
        return None
    row = _life(op, party, rank) if party == SERVER or op.f in _LIVES else _talk(op, party, rank, unwanted)
    if row is None and rank == 0:
        return _Row(time=op.time, rank=0, source=party, note=say_op(op))
    return row


#: Who comes into a room, and who goes.
MEMBERSHIPS = frozenset({"join", "add", "leave", "kick"})


def _moved(op: Op) -> str:
    who = op.value.get("user")
    return f"{op.f} {who}" if who else f"{op.f} {op.value.get('room', '')}"


_LIVES = frozenset({"exit", "connect", "disconnect", "connection"})


def _life(op: Op, party: str, rank: int) -> _Row | None:
    rank = min(rank, 2)
    match op.f, op.type:
        case "start", "ok":
            return _Row(time=op.time, rank=rank, source=party, note="ready", up=(party, True))
        case "exit", _:
            how = ending({**op.value, "asked": False}).replace("by signal 9", "-9")
            return _Row(time=op.time, rank=min(rank, 1), source=party, note=how, up=(party, False))
        case "connect", "ok":
            return _Row(
                time=op.time, rank=rank, source=party, target=SERVER, label="connect", up=(party, True)
            )
        case "disconnect", "ok":
            return _Row(time=op.time, rank=rank, source=party, note="disconnected", up=(party, False))
        case "connection", _:
            state = str(op.value.get("state"))
            return _Row(
                time=op.time, rank=rank, source=party, note=f"connection {state}", up=(party, state != "lost")
            )
        case (("connect" | "disconnect" | "start"), ("fail" | "info")):
            return _Row(time=op.time, rank=rank, source=party, note=f"✗ {op.f} {refusal(op)}")
        case _:
            return None


def _talk(op: Op, party: str, rank: int, unwanted: Collection[tuple[str, str]]) -> _Row | None:
    match op.f, op.type:
        case "send", "invoke":
            label = f"send {message_name(op.value)}"
            return _Row(time=op.time, rank=min(rank, 1), source=party, target=SERVER, label=label)
        case "send", "ok":
            sequence = op.value.get("sequence")
            label = "ok" if sequence is None else f"ok #{sequence}"
            return _Row(time=op.time, rank=min(rank, 1), source=SERVER, target=party, label=label)
        case "send", _:
            # A note and no arrow: not every refusal comes from the server, and no answer from nobody.
            code = str((op.error or {}).get("code") or refusal(op))
            mark = "✗" if op.type == "fail" else "?"
            return _Row(time=op.time, rank=min(rank, 1), source=party, note=f"{mark} {code}")
        case "deliver", _:
            name = message_name(op.value)
            label = f"✗ {name}" if (party, name) in unwanted else name
            # Messages may come before the connect is answered: whoever gets one is there.
            return _Row(
                time=op.time,
                rank=min(rank, 1),
                source=SERVER,
                target=party,
                label=label,
                up=(party, True),
            )
        case (("join" | "add" | "leave" | "kick"), "ok"):
            return _Row(time=op.time, rank=min(rank, 1), source=party, target=SERVER, label=_moved(op))
        case "claim", _:
            label = f"all to #{op.value.get('through')}"
            return _Row(time=op.time, rank=rank, source=SERVER, target=party, label=label)
        case "fence", "ok":
            return _Row(time=op.time, rank=rank, source=SERVER, target=party, label="fence")
        case "ack", "invoke":
            through = ", ".join(f"#{number}" for number in op.value.get("acks", {}).values())
            return _Row(time=op.time, rank=rank, source=party, target=SERVER, label=f"read to {through}")
        case _:
            return None


class _Canvas:
    """Cells of one line at a time; a wide character takes a cell and leaves the next one empty."""

    def __init__(self, lanes: Sequence[str], columns: int) -> None:
        self._columns = columns
        self._pitch = min((columns - _CLOCK) // len(lanes), 22)
        self._lanes = lanes
        self._x = {lane: _CLOCK + self._pitch * place + self._pitch // 2 for place, lane in enumerate(lanes)}
        self.solid = dict.fromkeys(lanes, False)
        self.solid[SERVER] = True

    def head(self) -> str:
        """Return the line with the names."""
        cells = [" "] * self._columns
        for lane in self._lanes:
            self._centre(cells, self._x[lane], clip(safe(lane), self._pitch - 2))
        return "".join(cells).rstrip()

    def paint(self, row: _Row) -> str:
        """Return one line."""
        cells = [" "] * self._columns
        for lane, x in self._x.items():
            cells[x] = "│" if self.solid[lane] else "┊"
        for place, char in enumerate(f"{row.time / 1e9:.3f}s".rjust(_CLOCK - 1)[: _CLOCK - 1]):
            cells[place] = char
        if row.note and not row.source:
            self._put(cells, _CLOCK, clip(f"── {safe(row.note)} ──", self._columns - _CLOCK))
        elif row.note:
            self._centre(cells, self._x[row.source], f"[{clip(safe(row.note), 2 * self._pitch - 4)}]")
        else:
            self._arrow(cells, self._x[row.source], self._x[row.target], row.label)
        return "".join(cells).rstrip()

    def _arrow(self, cells: list[str], start: int, end: int, label: str) -> None:
        low, high = min(start, end) + 1, max(start, end) - 1
        for x in range(low, high + 1):
            cells[x] = "─"
        if end > start:
            cells[high] = "▶"
        else:
            cells[low] = "◀"
        text = clip(safe(label), high - low - 4)
        if text:
            self._put(cells, (low + high + 1 - width(text)) // 2 - 1, f" {text} ")

    def _centre(self, cells: list[str], x: int, text: str) -> None:
        size = width(text)
        self._put(cells, max(_CLOCK, min(x - size // 2, self._columns - size)), text)

    @staticmethod
    def _put(cells: list[str], x: int, text: str) -> None:
        for char in text:
            size = char_width(char)
            if size == 0:
                cells[x - 1] += char
                continue
            cells[x] = char
            if size == 2:
                cells[x + 1] = ""
            x += size
