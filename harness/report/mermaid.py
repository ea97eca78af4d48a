"""A small run as a Mermaid sequence diagram, for a README or a comment on a change.

At most `LIMIT` arrows and notes, from the first violation's on; what is left out is counted in a last note. Mermaid
has no latency, so rows stand in the order in which things were sent and came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from harness.report.chart import Arrow, Diagram, Mark
from harness.report.lives import Band
from harness.report.text import clip, count

LIMIT = 60
_LABEL = 60
_NOTED = frozenset({"life", "refused", "unknown", "broken", "never", "act"})


class _Line(NamedTuple):
    time_ns: int
    lanes: tuple[str, ...]
    text: str
    """With `{NAME}` instead of what stands for a lane, its place in `lanes`."""
    proof: bool


def render(diagram: Diagram, proof: AbstractSet[int] = frozenset()) -> str:
    """Return the text of a diagram; `proof` are the operations of a violation, around which it is told."""
    lines = sorted(_lines(diagram, proof), key=lambda line: line.time_ns)
    first = next((place for place, line in enumerate(lines) if line.proof), 0)
    begin = max(0, min(first - LIMIT // 4, len(lines) - LIMIT))
    shown = lines[begin : begin + LIMIT]
    named = {lane for line in shown for lane in line.lanes}
    lanes = [lane for lane in diagram.lanes if lane in named] or list(diagram.lanes[:1])
    # The server stands in the middle, as in every diagram.
    lanes = [*lanes[1 : 1 + len(lanes) // 2], lanes[0], *lanes[1 + len(lanes) // 2 :]]
    ids = {lane: f"p{place}" for place, lane in enumerate(lanes)}
    out = ["sequenceDiagram", *(f"    participant {ids[lane]} as {label(lane)}" for lane in lanes)]
    out += [f"    {line.text.format(*(ids[lane] for lane in line.lanes))}" for line in shown]
    if len(lines) > len(shown):
        out.append(
            f"    Note over {ids[lanes[0]]},{ids[lanes[-1]]}: … {count(len(lines) - len(shown), 'more event')}"
        )
    return "\n".join(out) + "\n"


def _lines(diagram: Diagram, proof: AbstractSet[int]) -> Iterator[_Line]:
    for arrow in diagram.arrows:
        yield _arrow(arrow, proof)
    for mark in diagram.marks:
        if mark.kind in _NOTED:
            yield _mark(mark, proof)
    for band in diagram.bands:
        yield from _band(band, diagram)


def _arrow(arrow: Arrow, proof: AbstractSet[int]) -> _Line:
    sends = arrow.kind == "send"
    sign = {"refused": "-x", "unknown": "--x"}.get(arrow.end, "->>" if arrow.message else "-->>")
    if arrow.kind == "answer":
        sign = "-->>"
    said = f"{'✗ ' if arrow.end == 'unwanted' else ''}{'send ' if sends else ''}{arrow.label}"
    text = f"{{0}}{sign}{{1}}: {_braced(label(said))}"
    return _Line(
        arrow.begun_ns if sends else arrow.ended_ns, (arrow.source, arrow.target), text, arrow.op in proof
    )


def _mark(mark: Mark, proof: AbstractSet[int]) -> _Line:
    sign = {"broken": "◇ ", "never": "✗ ", "refused": "✗ ", "unknown": "? "}.get(mark.kind, "")
    return _Line(
        mark.time_ns, (mark.lane,), f"Note over {{0}}: {_braced(label(sign + mark.label))}", mark.op in proof
    )


def _band(band: Band, diagram: Diagram) -> Iterator[_Line]:
    lanes = tuple(name for name in band.targets if name in diagram.lanes)
    for lane in lanes[:1]:
        yield _Line(band.begun_ns, (lane,), f"Note over {{0}}: {_braced(label(band.label))}", proof=False)
        if band.ended_ns > band.begun_ns:
            text = f"Note over {{0}}: {_braced(label('end of ' + band.label))}"
            yield _Line(band.ended_ns, (lane,), text, proof=False)


def label(text: str) -> str:
    """Return a text that Mermaid shows as it is: neither `#` nor `;` nor the word `end` means anything in it."""
    coded = "".join(f"#{ord(char)};" if char in '#;<>&:%`"{}[]()' else char for char in clip(text, _LABEL))
    return re.sub(r"\bend\b", "#101;nd", coded, flags=re.IGNORECASE) or "#32;"


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
