"""In which order violations are told: the gravest first, and why before what the script asked for.

A process that ended by itself is why all else went wrong. A violated invariant is graver than an expectation that was
not fulfilled: it is wrong whatever the script says, and mostly why the expectation failed. So one of these is told
first, if there is any; and each expectation comes after the invariants that are violated with the same message. Of
these a phantom comes first: what reached somebody changed is missing as what it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.model.verdict import Status, Verdict, Violation

#: Kind of violation: a process ended though nothing in the script asked for that.
ENDED = "process"


def certain(verdicts: Iterable[Verdict]) -> list[tuple[Verdict, Violation]]:
    """Return the violations of what failed, each with its verdict, in the order in which they are told."""
    found = [
        (verdict, violation)
        for verdict in verdicts
        if verdict.status is Status.FAIL
        for violation in verdict.violations
    ]
    causes: dict[str, list[int]] = {}
    for place, (verdict, violation) in enumerate(found):
        if verdict.group == "invariant":
            for message in violation.messages:
                causes.setdefault(message, []).append(place)
    for places in causes.values():
        places.sort(key=lambda place: found[place][1].kind != "phantom")
    order: dict[int, None] = {}
    for place, (_, violation) in enumerate(found):
        order |= dict.fromkeys(cause for message in violation.messages for cause in causes.get(message, ()))
        order.setdefault(place)
    died = [place for place in order if found[place][1].kind == ENDED]
    first = died or [place for place in order if found[place][0].group == "invariant"][:1]
    return [found[place] for place in dict.fromkeys([*first, *order])]
