"""In which order violations are told: the gravest first, and why before what the script asked for.

A violated invariant is graver than an expectation that was not fulfilled: it is wrong whatever the script says, and
mostly why the expectation failed. So the first one told is of an invariant, if any is violated; and each expectation
comes after the invariants that are violated with the same message.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.model.verdict import Status, Verdict, Violation


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
    order: dict[int, None] = {}
    for place, (_, violation) in enumerate(found):
        order |= dict.fromkeys(cause for message in violation.messages for cause in causes.get(message, ()))
        order.setdefault(place)
    gravest = next((place for place in order if found[place][0].group == "invariant"), None)
    places = order if gravest is None else dict.fromkeys([gravest, *order])
    return [found[place] for place in places]
