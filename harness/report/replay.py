"""A recorded run told again in its order, a line at a time: what `chatsim replay` prints.

    Retelling.opening ──▶ frames, each with the moment at which it belongs on the screen ──▶ closing

Pure: when a frame is shown is decided by who prints. The lines are those of the diagram in a failure block
(`sequence`), without its limits; above the operations of a step stands the step as `chatsim explain` tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from harness.model.history import NEMESIS, SCRIPT, Op
from harness.report.early import connected_first
from harness.report.failure import findings
from harness.report.fold import lane_of
from harness.report.look import Look
from harness.report.model import RowReport
from harness.report.scene import never_came
from harness.report.sequence import Never, Scroll, lanes_that_fit
from harness.report.terminal import CHECK_MARKS, summary_line
from harness.report.text import clip, count, safe, to_ascii, wrap
from harness.verbs import VERBS

#: Lines after which the names stand again.
_HEAD_EVERY = 40
#: Sentences of violations that are said at the end.
_SAID = 5
_CLOCK = 10


class Frame(NamedTuple):
    """Lines that appear together."""

    time_ns: int
    """Since the run began."""
    lines: tuple[str, ...]


class Retelling:
    """One row, told again.

    Args:
        row: Its report, for what is known to have gone wrong.
        look: How to draw.
    """

    def __init__(self, row: RowReport, look: Look) -> None:
        self._row = row
        self._look = look
        self._steps = {step.pointer: step for step in row.plan.walk()}
        self._begun: set[str] = set()
        self._proof = {index for violation in row.violations for index in violation.ops}
        lanes = _chosen(row, lanes_that_fit(look.width) - 1)
        self._others = len(row.plan.clients) - len(lanes)
        self._scroll = Scroll(
            lanes,
            proof=self._proof,
            unwanted={
                (r.client, message.id)
                for message in row.messages.values()
                for r in message.receipts
                if r.state in ("echo", "leak")
            },
            columns=look.width,
        )
        self._until_head = 0
        self._final = False

    def opening(self) -> list[str]:
        """Return what stands above it all."""
        plan = self._row.plan
        title = clip(safe(plan.title), self._look.width)
        told = [self._look.paint(title, "bold")]
        if self._others:
            named = "other has" if self._others == 1 else "others have"
            told.append(f"{self._others} {named} no room on {self._look.width} columns and no lane")
        return self._ready([*told, ""])

    def frames(self, ops: Iterable[Op]) -> Iterator[Frame]:
        """Yield what is to be seen of the operations, in their order."""
        waiting = sorted(self._never(), key=lambda item: item.time_ns, reverse=True)
        now = 0
        for op in connected_first(ops, invoked=True):
            while waiting and waiting[-1].time_ns < op.time:
                now = max(now, waiting[-1].time_ns)
                yield from self._frame(now, [self._bad(self._scroll.never(waiting.pop()))])
            now = max(now, op.time)
            yield from self._frame(now, [*self._caption(op), self._line(op)])
        for item in reversed(waiting):
            now = max(now, item.time_ns)
            yield from self._frame(now, [self._bad(self._scroll.never(item))])

    def closing(self, *, partial: str = "") -> list[str]:
        """Return how it ended, and what was wrong.

        Args:
            partial: Why this was not all of the run, without full stop; empty when it was.
        """
        row, look = self._row, self._look
        lines = [""]
        if partial:
            lines += [
                look.paint("This is not all of it.", "doubt"),
                *wrap(safe(f"{partial}."), look.width, lines=4),
            ]
        if not partial or row.reason != partial:
            lines.append(summary_line(row, look))
        told = [(verdict, violation) for verdict, violation in findings(row) if violation is not None]
        for verdict, violation in told[:_SAID]:
            mark, tone = CHECK_MARKS[verdict.status]
            first, *rest = wrap(safe(violation.sentence), look.width - 2, lines=3)
            lines += [f"{look.paint(mark, tone)} {first}", *(f"  {line}" for line in rest)]
        if len(told) > _SAID:
            lines.append(f"  … and {count(len(told) - _SAID, 'more violation')}")
        return self._ready(lines)

    def _frame(self, time_ns: int, lines: Iterable[str]) -> Iterator[Frame]:
        shown = [line for line in lines if line]
        if not shown:
            return
        if self._until_head <= 0:
            self._until_head = _HEAD_EVERY
            shown = [self._look.paint(self._scroll.head(), "bold"), *shown]
        self._until_head -= len(shown)
        yield Frame(time_ns, tuple(self._ready(shown)))

    def _line(self, op: Op) -> str:
        if op.index not in self._proof and self._is_small_talk(op):
            return ""
        line = self._scroll.line(op)
        if "✗" in line:
            return self._bad(line)
        return line.replace("┊", self._look.paint("┊", "dim"))

    def _is_small_talk(self, op: Op) -> bool:
        """Return whether an operation tells nothing: of completeness, of everybody leaving, or said above."""
        if op.process == NEMESIS:
            return op.step in self._steps
        return op.f in ("claim", "ack") or (self._final and op.f == "exit" and bool(op.value.get("asked")))

    def _caption(self, op: Op) -> list[str]:
        """Return the line above the first operation of a step."""
        if op.process == SCRIPT and op.f == "final" and op.type == "invoke":
            self._final = True
            return self._titled(op.time, "the script is over; everybody is read to the end")
        if op.step is None or op.step in self._begun or op.step not in self._steps:
            return []
        self._begun.add(op.step)
        step = self._steps[op.step]
        lane = lane_of(op.step)
        said = VERBS[step.action.verb].sentence(step)
        where = f"line {self._row.plan.line(op.step) or '?'}"
        return self._titled(op.time, f"{where}  {f'{lane}: ' if lane else ''}{said}")

    def _titled(self, time_ns: int, text: str) -> list[str]:
        when = f"{time_ns / 1e9:.3f}s".rjust(_CLOCK - 1)
        body = clip(safe(text), self._look.width - _CLOCK - 1)
        return [f"{when} {self._look.paint(body, 'bold')}"]

    def _bad(self, line: str) -> str:
        return self._look.paint(line, "bad")

    def _never(self) -> list[Never]:
        end = self._row.duration_ns
        found: dict[tuple[str, str], Never] = {}
        for item in (item for v in self._row.violations for item in never_came(self._row, v, end_ns=end)):
            known = found.setdefault((item.client, item.message), item)
            if item.time_ns < known.time_ns:
                found[item.client, item.message] = item
        return list(found.values())

    def _ready(self, lines: Sequence[str]) -> list[str]:
        return [to_ascii(line) if self._look.ascii else line for line in lines]


def _chosen(row: RowReport, room: int) -> list[str]:
    """Return the clients that have a lane, in the order of the cast: those that violations speak of before others."""
    cast = [client.name for client in row.plan.clients]
    concerned = [name for violation in row.violations for name in violation.clients if name in cast]
    senders = {message.sender for message in row.messages.values()}
    sending = [client.name for client in row.plan.clients if client.user in senders]
    # The first one concerned and the sender are what the story is about; the others as far as there is room.
    wanted = set(list(dict.fromkeys([*concerned[:1], *sending, *concerned, *cast]))[:room])
    return [name for name in cast if name in wanted]
