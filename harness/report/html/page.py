"""What stands on the page of one row: plain data, bounded, made in one pass over the history.

Invariants:
* At most `SHOWN` operations around the first violation are told one by one, beside those that violations are
  about; the rest are counted, and `Page.left_out` says so.
* Every text in it is `safe`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from harness.model.history import FENCE, HARNESS, Op
from harness.report.chart import Chart, Diagram, Mark
from harness.report.failure import findings
from harness.report.html.findings import Finding, Group, grouped
from harness.report.html.latency import Latencies, Waiting
from harness.report.html.logs import Entry, LogLine, merge_logs, stamped
from harness.report.html.matrix import MessageRow, message_rows
from harness.report.model import RowReport
from harness.report.receipts import Receipts, merge
from harness.report.scene import never_came
from harness.report.text import safe
from harness.report.words import message_name, say_op

#: Operations that are told one by one.
SHOWN = 5_000
#: Cells of the table of who got what.
CELLS = 20_000
#: Operations before and after the proof of the first finding that are drawn at first.
_NEIGHBOURHOOD = 100
_BINS = 200


class Ack(NamedTuple):
    """A reader's word, accepted by the server, that it has read a room up to there."""

    client: str
    room: str
    through: int
    time_ns: int


class Page(NamedTuple):
    """Everything on the page of a row, beside the row itself."""

    row: RowReport
    groups: tuple[Group, ...]
    more_findings: int
    """Those of further groups."""
    diagram: Diagram
    messages: tuple[MessageRow, ...]
    acks: tuple[Ack, ...]
    entries: tuple[Entry, ...]
    """Operations and log lines, in order of time."""
    density: tuple[int, ...]
    """Operations in each of equal parts of the run."""
    end_ns: int
    focus: tuple[int, int]
    """From when to when is shown at first."""
    left_out: tuple[str, ...]
    latencies: tuple[Waiting, ...] = ()
    """How long answers and deliveries took; empty when there were too few to say."""
    partial: str = ""
    """Why this is not all of the run; empty when it is."""
    record: tuple[str, ...] = ()
    """What lies beside the page, as addresses relative to it."""

    @property
    def played(self) -> bool:
        """Whether anything was recorded that can be drawn."""
        drawn = self.diagram
        return bool(drawn.arrows or drawn.marks or drawn.lives or self.messages)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that are told, in the order of the page."""
        return tuple(finding for group in self.groups for finding in group.findings)


def compose(
    row: RowReport, ops: Iterable[Op], logs: Mapping[str, Sequence[LogLine]], *, shown: int = SHOWN
) -> Page:
    """Make the page of a row.

    Args:
        row: The row's report.
        ops: Its history, once through, in order.
        logs: What each process wrote, oldest first.
        shown: How many operations are told one by one.
    """
    reading = _Reading(row, shown)
    for op in ops:
        reading.feed(op)
    end = max(reading.last_ns, row.duration_ns if not reading.total else 0)
    groups, more = grouped(row)
    told = tuple(finding for group in groups for finding in group.findings)
    messages = message_rows(row, reading.receipts.result(), reading.near, CELLS)
    proof = {index for finding in told for index in finding.proof}
    entries = merge_logs(
        [entry._replace(proof=entry.op in proof) for entry in reading.entries],
        stamped(logs, row.started_at),
    )
    left_out = []
    if reading.total > reading.shown:
        around = "around the first violation" if told else "from the begin of the run"
        left_out.append(
            f"{reading.total - reading.shown:,} of {reading.total:,} operations; {reading.shown:,} {around} are here"
        )
    if (fewer := row.messages_sent - len(messages)) > 0:
        left_out.append(f"{fewer:,} of {row.messages_sent:,} messages in the table of who got what")
    return Page(
        row=row,
        groups=groups,
        more_findings=more,
        diagram=reading.chart.diagram(end, _missing(row, end)),
        messages=messages,
        acks=tuple(reading.acks),
        entries=entries,
        density=reading.density(end),
        end_ns=end,
        focus=reading.focus(told, end),
        left_out=tuple(left_out),
        latencies=reading.latencies.result(end),
    )


class _Reading:
    """One pass over the history."""

    def __init__(self, row: RowReport, limit: int) -> None:
        self._trace = row.trace
        first = next((violation for _, violation in findings(row) if violation is not None), None)
        proof = first.ops if first is not None else ()
        self._first = max(0, min(proof, default=0) - limit // 2)
        self._last = self._first + limit
        unwanted = {
            message.id: frozenset(r.client for r in message.receipts if r.state in ("echo", "leak"))
            for message in row.messages.values()
        }
        self.chart = Chart([client.name for client in row.plan.clients], unwanted)
        self.latencies = Latencies(row.plan)
        self.receipts = Receipts(row.plan, row.messages)
        self.near: dict[str, None] = {}
        """Messages that operations are about which are told one by one."""
        self._watched: set[str] = set()
        self._room = CELLS // max(1, len(row.plan.clients))
        self.entries: list[Entry] = []
        self.acks: list[Ack] = []
        self.total = self.shown = 0
        self.last_ns = 0
        self._open: dict[int, Op] = {}
        self._times = array("q")

    def feed(self, op: Op) -> None:
        self.total += 1
        self.last_ns = op.time
        self._times.append(op.time)
        begun = None
        if op.op is not None and op.f != "read":
            if op.type == "invoke":
                self._open[op.op] = op
            else:
                begun = self._open.pop(op.op, None)
        whole = merge(op, begun)
        shown = self._first <= op.index < self._last or op.index in self._trace
        if op.f in ("send", "deliver") and op.process not in (HARNESS, FENCE):
            self._watch(message_name(whole.value), near=shown)
        self.receipts.feed(op, begun)
        self.chart.feed(whole, begun, shown=shown)
        self.latencies.feed(whole)
        if shown:
            self.shown += 1
            acked = whole.value.get("acks") if op.f in ("ack", "poll") and op.type == "ok" else None
            self.acks += [Ack(op.client, safe(room), n, op.time) for room, n in (acked or {}).items()]
            name = message_name(whole.value) if op.f in ("send", "deliver", "read") else ""
            tone: Literal["op", "bad"] = "bad" if op.type == "fail" else "op"
            self.entries.append(
                Entry(op.time, safe(op.process), tone, safe(say_op(whole)), op.index, safe(name))
            )

    def _watch(self, name: str, *, near: bool) -> None:
        if near:
            self.near.setdefault(name)
        if near or len(self._watched) < self._room:
            self._watched.add(name)
            self.receipts.watch(name)

    def density(self, end_ns: int) -> tuple[int, ...]:
        bins = [0] * _BINS
        for time in self._times:
            bins[min(_BINS - 1, time * _BINS // max(end_ns, 1))] += 1
        return tuple(bins)

    def focus(self, told: Sequence[Finding], end_ns: int) -> tuple[int, int]:
        """Return the time around the proof of the first finding; all of a short run, or of one without a proof."""
        proof = next((finding.proof for finding in told if finding.proof), ())
        # That the script once began is long before what stopped it.
        begun = {
            place
            for place in proof
            if (op := self._trace.get(place)) and (op.f, op.type) == ("script", "invoke")
        }
        proof = tuple(place for place in proof if place not in begun)
        if self.total <= 4 * _NEIGHBOURHOOD or not proof:
            return 0, end_ns
        last_one = len(self._times) - 1
        first = min(max(0, min(proof) - _NEIGHBOURHOOD), last_one)
        last = min(max(proof) + _NEIGHBOURHOOD, first + 6 * _NEIGHBOURHOOD, last_one)
        return self._times[first], self._times[last]


def _missing(row: RowReport, end_ns: int) -> list[Mark]:
    """Return deliveries that did not happen, each once, where one would look for them."""
    found: dict[tuple[str, str], Mark] = {}
    for violation in row.violations:
        for item in never_came(row, violation, end_ns=end_ns):
            name = safe(item.message)
            mark = Mark(-1, "never", item.client, item.time_ns, f"never got {name}", name)
            # The violation that knows it soonest is the one that it is drawn for.
            if (known := found.get((item.client, name))) is None or mark.time_ns < known.time_ns:
                found[item.client, name] = mark
    return list(found.values())
