"""What `chatsim doctor` found, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from harness.model.checkup import Finding, State, healthy
from harness.report.look import Look, Tone
from harness.report.text import count, pad, safe, to_ascii, wrap

DOCTOR_VERSION = 1

_MARKS: Mapping[State, tuple[str, Tone]] = {
    "ok": ("✓", "good"),
    "note": ("!", "doubt"),
    "bad": ("✗", "bad"),
    "absent": ("·", "dim"),
}
_NAME = 14


def tell(findings: Sequence[Finding], look: Look) -> str:
    """Return a line for each finding, its remedy below it, and the sum of all."""
    lines = []
    for finding in findings:
        mark, tone = _MARKS[finding.state]
        first, *rest = wrap(safe(finding.said), look.width - _NAME - 5, lines=4)
        lines.append(f"  {look.paint(mark, tone)} {pad(safe(finding.name), _NAME)} {first}")
        lines += [f"{' ' * (_NAME + 5)}{line}" for line in rest]
        if finding.remedy:
            # Lines to paste are never wrapped: a terminal joins what it broke by itself.
            lines.append(f"{' ' * (_NAME + 5)}→ {safe(finding.remedy)}")
    bad = sum(finding.state == "bad" for finding in findings)
    notes = sum(finding.state == "note" for finding in findings)
    told = [f"{count(bad, 'thing')} must be mended"] if bad else ["chatsim can play here"]
    told += [count(notes, "note")] if notes else []
    text = "\n".join([*lines, "─" * 14, f"  {', '.join(told)}"])
    return to_ascii(text) if look.ascii else text


def to_json(findings: Sequence[Finding]) -> str:
    """Return the findings for a program, format `chatsim.doctor`."""
    data = {
        "format": "chatsim.doctor",
        "version": DOCTOR_VERSION,
        "ok": healthy(findings),
        "findings": [finding._asdict() for finding in findings],
    }
    return json.dumps(data, ensure_ascii=True, indent=1)
