"""Two runs of one plan side by side: what each member saw differently. Pure.

    Side (a row and what everybody saw in it), twice ──▶ differences ──▶ tell

A difference is something that a person would call one: a verdict, an answer, a message that came in one run only,
came more often, or came in another order within its room. Times always differ, and are none; another seed, server
or driver is why there may be some, and is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.report.look import Look
from harness.report.model import RowReport
from harness.report.terminal import status_word
from harness.report.text import clip, count, pad, safe, seconds, to_ascii, wrap
from harness.report.views import View, Views, percentile

_KEY = 12
#: Messages and members that are named; the others are counted.
_NAMED = 6
_MEMBERS = 20
#: Members whose waiting is shown: those for whom the longest became longer or shorter by so much, and twofold.
_SLOW, _NOTABLE_NS = 3, 20_000_000
#: Parts of a plan that say where it was written and how it is called, not what is done. What is drawn from the seed
#: stands in the others.
_ELSEWHERE = frozenset(
    {"format", "version", "name", "file", "source", "spans", "tags", "description", "title", "seed"}
)
_WORDS: Mapping[str, str] = {"listen_ns": "listen", "listed": "inboxes", "required": "invariants"}


class Side(NamedTuple):
    """One of the two runs."""

    label: str
    """Its folder, as a person would type it."""
    row: RowReport
    views: Views
    partial: str = ""
    """Why this is not all of it, without full stop; empty when it is."""


class Difference(NamedTuple):
    """One thing that is so in one run, and otherwise in the other."""

    about: str
    """Whose view it is, or `verdicts`, `sends`."""
    said: str


class Comparison(NamedTuple):
    """What came of comparing two rows."""

    plans: str
    """How the plans differ; empty when they do not."""
    differences: tuple[Difference, ...]
    same: tuple[str, ...]
    """Clients that saw the same."""

    @property
    def equal(self) -> bool:
        """Whether everybody saw the same and every verdict is the same."""
        return not self.differences


def compare(a: Side, b: Side) -> Comparison:
    """Compare two rows."""
    clients = list(dict.fromkeys(c.name for side in (a, b) for c in side.row.plan.clients))
    found = [*_verdicts(a, b), *_answers(a.views, b.views)]
    same = []
    for client in clients:
        views = [side.views.clients.get(client, View({}, {})) for side in (a, b)]
        said = [Difference(client, text) for text in _view(*views)]
        found += said
        if not said:
            same.append(client)
    return Comparison(plan_difference(a.row.plan, b.row.plan), tuple(found), tuple(same))


def plan_difference(a: Plan, b: Plan) -> str:
    """Return in what two plans differ, in words: `steps (from line 12), rooms`; empty when they do the same."""
    one, other = a.to_json(), b.to_json()
    keys = [key for key in one if key not in _ELSEWHERE and one[key] != other.get(key)]
    told = []
    for key in dict.fromkeys(_WORDS.get(key, key) for key in keys):
        first = _first_step(a, b) if key == "steps" else None
        told.append(f"{key} (from line {first})" if first else key)
    return ", ".join(told)


def _first_step(a: Plan, b: Plan) -> int | None:
    """Return the line of the first step of A that B has otherwise."""
    for place, step in enumerate(a.steps):
        if place >= len(b.steps) or step != b.steps[place]:
            return a.line(step.pointer)
    return None


def _verdicts(a: Side, b: Side) -> Iterator[Difference]:
    if a.row.status is not b.row.status:
        yield Difference("ended", f"{a.row.status} in A, {b.row.status} in B")
    if a.row.judgement is None or b.row.judgement is None:
        return
    ours, others = ({(v.name, v.pointer): v for v in side.row.verdicts} for side in (a, b))
    for key in dict.fromkeys([*ours, *others]):
        one, other = ours.get(key), others.get(key)
        ends = [verdict.status.value if verdict else "not judged" for verdict in (one, other)]
        if ends[0] != ends[1]:
            why = _why(other) or _why(one)
            yield Difference(
                "verdicts", f"{key[0]}: {ends[0]} in A, {ends[1]} in B{f' ({why})' if why else ''}"
            )


def _why(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return verdict.violations[0].sentence if verdict.violations else verdict.reason


def _answers(a: Views, b: Views) -> Iterator[Difference]:
    for name in dict.fromkeys([*a.answers, *b.answers]):
        ours, others = a.answers.get(name, "never sent"), b.answers.get(name, "never sent")
        if ours != others:
            yield Difference("sends", f"{name}: {ours} in A, {others} in B")


def _view(a: View, b: View) -> Iterator[str]:
    several = len({*a.rooms, *b.rooms}) > 1
    for room in dict.fromkeys([*a.rooms, *b.rooms]):
        ours, others = a.rooms.get(room, ()), b.rooms.get(room, ())
        where = f" (in {room})" if several else ""
        for told, here, there in (("only in A", ours, set(others)), ("only in B", others, set(ours))):
            if alone := [name for name in here if name not in there]:
                yield f"{told}: {_some(alone)}{where}"
        if swapped := _swapped([n for n in ours if n in set(others)], [n for n in others if n in set(ours)]):
            first, second = swapped
            yield f"{first} before {second} in A, after it in B{where}"
    for name in dict.fromkeys([*a.again, *b.again]):
        ours_again, others_again = a.again.get(name, 0), b.again.get(name, 0)
        if ours_again != others_again:
            yield f"{name} came {count(ours_again + 1, 'time')} in A, {count(others_again + 1, 'time')} in B"


def _swapped(a: Sequence[str], b: Sequence[str]) -> tuple[str, str] | None:
    """Return two messages, the first two that A has in one order and B in the other."""
    for ours, others in zip(a, b, strict=True):
        if ours != others:
            return ours, others
    return None


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def tell(a: Side, b: Side, found: Comparison, look: Look) -> str:
    """Return the comparison of two rows for a person."""
    lines = [_head("A", a, look), _head("B", b, look)]
    for mark, side in (("A", a), ("B", b)):
        if side.partial:
            lines += _told("partial", f"{mark} is not all of its run: {side.partial}", look)
    if found.plans:
        lines += _told("plans", f"they differ in {found.plans}: this compares two different things", look)
    for key, text in _circumstances(a.row, b.row):
        lines += _told(key, text, look)
    shown: dict[str, list[str]] = {}
    for difference in found.differences:
        shown.setdefault(difference.about, []).append(difference.said)
    for place, (about, said) in enumerate(shown.items()):
        if place == _MEMBERS:
            lines.append(f"  … and {count(len(shown) - _MEMBERS, 'more')} who saw something else")
            break
        for number, text in enumerate(said[:_NAMED]):
            lines += _told(about if number == 0 else "", text, look)
        if len(said) > _NAMED:
            lines += _told("", f"… and {count(len(said) - _NAMED, 'more difference')}", look)
    for key, text in _times(a.views, b.views):
        lines += _told(key, text, look)
    if found.equal:
        lines += _told("equal", "everybody saw the same, in the same order; only times differ", look)
    elif found.same:
        lines += _told("the same", f"{_some(found.same)} saw the same, in the same order", look)
    text = "\n".join(line.rstrip() for line in lines)
    return to_ascii(text) if look.ascii else text


def _circumstances(a: RowReport, b: RowReport) -> Iterator[tuple[str, str]]:
    """Yield under which other circumstances the second was played."""
    if a.seed != b.seed:
        yield "seed", f"{a.seed} in A, {b.seed} in B"
    for key in ("server", "driver"):
        ours, others = (str(row.env.get(key) or "") for row in (a, b))
        if ours and others and ours != others:
            yield key, f"{ours} in A"
            yield "", f"{others} in B"


def _times(a: Views, b: Views) -> Iterator[tuple[str, str]]:
    """Yield how long things took; above all for those members for whom that changed most."""
    if a.answered and b.answered:
        yield "answers", _percentiles(a.answered, b.answered)
    ours, others = ([ns for times in side.waited.values() for ns in times] for side in (a, b))
    if ours and others:
        yield "deliveries", _percentiles(ours, others)
    both = [name for name in a.waited if name in b.waited]
    tails = {name: [percentile(side.waited[name], 0.99) for side in (a, b)] for name in both}
    changed = [name for name in both if _is_other(*tails[name])]
    changed.sort(key=lambda name: -abs(tails[name][0] - tails[name][1]))
    for name in changed[:_SLOW]:
        yield "", f"{name}: {_percentiles(a.waited[name], b.waited[name])}"


def _is_other(a: int, b: int) -> bool:
    return abs(a - b) > _NOTABLE_NS and max(a, b) > 2 * min(a, b)


def _percentiles(a: Sequence[int], b: Sequence[int]) -> str:
    told = []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        ours, others = percentile(a, share), percentile(b, share)
        if not ours and not others:  # what came before its sender had the answer took no time
            told.append(f"{name} at once in both")
        else:
            told.append(f"{name} {_ms(ours)} in A, {_ms(others)} in B")
    return ", ".join(told)


def _ms(ns: int) -> str:
    return f"{ns / 1e6:.1f} ms" if ns < 10**9 else seconds(ns)


def _head(mark: str, side: Side, look: Look) -> str:
    row = side.row
    got = sum(view.total for view in side.views.clients.values())
    word, tone = status_word(row.status)
    told = (
        f"{seconds(row.duration_ns)}, {count(row.messages_sent, 'message')}, "
        f"{count(got, 'delivery').replace('deliverys', 'deliveries')}"
    )
    head = f"{mark}  {pad(word, 11)} {told}  "
    label = safe(side.label)
    room = max(20, look.width - len(head))
    # The end of a path says which run it is.
    label = label if len(label) <= room else f"…{label[1 - room :]}"
    return f"{mark}  {look.paint(pad(word, 11), tone)} {told}  {label}"


def _told(key: str, text: str, look: Look) -> list[str]:
    first, *rest = wrap(safe(text), look.width - _KEY - 3, lines=5)
    head = pad(clip(safe(key), _KEY - 1), _KEY)
    return [f"  {head} {first}", *(f"{' ' * (_KEY + 3)}{line}" for line in rest)]
