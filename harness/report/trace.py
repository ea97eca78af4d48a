"""A run as a trace in Chrome's JSON, which Perfetto and Chrome's own viewer open: lanes, slices, and arrows between.

Each party is a process of the trace. Its first tracks hold its calls and what it got, one track more where calls
overlap; a track of its own shows when it was connected. Faults are a process of their own. A flow event binds to the
slice of the same category, process, track and begin, so each arrow begins and ends at a slice of its own.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from harness.report.chart import Diagram
from harness.report.text import safe

#: A moment, as a slice: 1 us.
_MOMENT = 1_000
_CONNECTED = 1_000
_CATEGORY = "chat"


def render(diagram: Diagram) -> str:
    """Return the text of a trace."""
    trace = _Trace(diagram)
    trace.lives()
    trace.messages()
    trace.marks()
    trace.faults()
    return json.dumps({"traceEvents": trace.events, "displayTimeUnit": "ms"}, separators=(",", ":")) + "\n"


class _Slice(NamedTuple):
    """Something that a party does, and an end of an arrow."""

    begun_ns: int
    length_ns: int
    lane: str
    name: str
    kind: Literal["s", "f"]
    """Whether the arrow begins or ends here."""
    flow: int | None


class _Trace:
    """The events of a trace, as they are collected."""

    def __init__(self, diagram: Diagram) -> None:
        self._diagram = diagram
        self._numbers = {lane: number for number, lane in enumerate(diagram.lanes, start=1)}
        self._busy: dict[tuple[int, int], int] = {}
        """(process, track) -> until when it is taken."""
        self.events: list[dict[str, Any]] = []
        for lane, number in self._numbers.items():
            self._name(number, "process_name", safe(lane))
            self.events.append(
                {"ph": "M", "pid": number, "name": "process_sort_index", "args": {"sort_index": number}}
            )

    def lives(self) -> None:
        """Tell who was connected when."""
        for life in self._diagram.lives:
            if (number := self._numbers.get(life.lane)) is None:
                continue
            self._name(number, "thread_name", "connected", _CONNECTED)
            for since, till in life.connected:
                self._slice(number, _CONNECTED, since, till - since, f"connected: {life.process}")

    def messages(self) -> None:
        """Tell what went from whom to whom."""
        answers = {arrow.op: arrow.ended_ns for arrow in self._diagram.arrows if arrow.kind == "answer"}
        wanted: list[_Slice] = []
        for number, arrow in enumerate(self._diagram.arrows):
            if arrow.kind == "answer":
                continue  # the end of the slice of its call
            until = answers.get(arrow.op, arrow.ended_ns) if arrow.kind == "send" else arrow.begun_ns
            name = f"{arrow.kind} {arrow.label}"
            arrived = arrow.end in ("arrived", "unwanted")
            flow = number if arrived else None
            wanted.append(_Slice(arrow.begun_ns, until - arrow.begun_ns, arrow.source, name, "s", flow))
            if arrived:
                wanted.append(_Slice(arrow.ended_ns, 0, arrow.target, name, "f", flow))
        for item in sorted(wanted, key=lambda item: item.begun_ns):
            self._place(item)

    def marks(self) -> None:
        """Tell what happened at one moment."""
        for mark in self._diagram.marks:
            self.events.append(
                {
                    "ph": "i",
                    "s": "t",
                    "pid": self._numbers[mark.lane],
                    "tid": 0,
                    "ts": mark.time_ns / 1e3,
                    "name": f"{mark.kind}: {mark.label}",
                }
            )

    def faults(self) -> None:
        """Tell what was done to whom, each fault on a track of its own."""
        number = len(self._numbers) + 1
        if self._diagram.bands:
            self._name(number, "process_name", "faults")
        for track, band in enumerate(self._diagram.bands):
            self._slice(number, track, band.begun_ns, band.ended_ns - band.begun_ns, band.label)

    def _place(self, item: _Slice) -> None:
        """Put a slice, and its end of an arrow, on the first track of its lane that is free."""
        number, track = self._numbers[item.lane], 0
        while self._busy.get((number, track), 0) > item.begun_ns:
            track += 1
        self._busy[number, track] = item.begun_ns + max(item.length_ns, _MOMENT)
        self._slice(number, track, item.begun_ns, item.length_ns, item.name)
        if item.flow is not None:
            where = {"pid": number, "tid": track, "ts": item.begun_ns / 1e3}
            binding = {"bp": "e"} if item.kind == "f" else {}
            event = {"ph": item.kind, "cat": _CATEGORY, "name": "message", "id": item.flow}
            self.events.append({**event, **where, **binding})

    def _slice(self, number: int, track: int, begun: int, length: int, name: str) -> None:
        where = {"pid": number, "tid": track, "ts": begun / 1e3, "dur": max(length, _MOMENT) / 1e3}
        self.events.append({"ph": "X", "cat": _CATEGORY, "name": name, **where})

    def _name(self, number: int, what: str, name: str, track: int = 0) -> None:
        self.events.append({"ph": "M", "pid": number, "tid": track, "name": what, "args": {"name": name}})
