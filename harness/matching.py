"""Compares what clients received with what a scenario says; serves the running `expect` and the judge alike.

Pure and linear: every function looks at each name once. Ids are message ids of a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Standing = Literal["certain", "open", "refused", "unsent"]
"""What the sender knows of a message: acknowledged, may exist, surely does not, was never tried."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One way in which an inbox differs from what was written."""

    kind: Literal["missing", "unexpected", "order"]
    ids: tuple[str, ...]
    """The message; for `order` the two, as they came."""
    item: int | None
    """Which item of the inbox it concerns; None for a message that no item names."""


def unmet(
    ids: Iterable[str],
    received_by: Sequence[str],
    got: Container[tuple[str, str]],
    wanted: Callable[[str], bool] = lambda _id: True,
) -> list[tuple[str, str]]:
    """Return the pairs (client, id) that `received_by` asks for and `got` lacks.

    Args:
        ids: the messages.
        received_by: who must have each of them.
        got: pairs (client, id) received so far.
        wanted: whether a message is asked for at all; one whose send is unknown is not.
    """
    asked = [id_ for id_ in ids if wanted(id_)]
    return [(client, id_) for client in received_by for id_ in asked if (client, id_) not in got]


def unwanted(
    ids: Iterable[str], not_by: Sequence[str], got: Container[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return the pairs (client, id) that `not_by` forbids and `got` has."""
    return [(client, id_) for id_ in ids for client in not_by if (client, id_) in got]


def match_inbox(
    items: Sequence[Sequence[Sequence[str]]],
    got: Sequence[str],
    standing: Callable[[str], Standing],
) -> list[Mismatch]:
    """Compare one inbox with what came.

    Certain messages must come exactly, in the order of the items; an open one may come anywhere, once; a
    refused one, one never sent, and one that no item names must not come.

    Args:
        items: each a number of series, each series message ids in order. Series of one item may be merged
            in any way; items follow each other.
        got: ids of first deliveries in order, without repetitions.
        standing: what the sender knows of a message.

    Returns:
        Every difference: what is missing, then what was not expected, then what came in the wrong order.
    """
    place: dict[str, tuple[int, int, int]] = {}
    for item, series in enumerate(items):
        for lane, ids in enumerate(series):
            for at, id_ in enumerate(ids):
                place.setdefault(id_, (item, lane, at))
    came = set(got)
    differences = [
        Mismatch("missing", (id_,), item)
        for id_, (item, _, _) in place.items()
        if id_ not in came and standing(id_) == "certain"
    ]
    in_order: list[str] = []
    for id_ in got:
        known = standing(id_)
        if id_ not in place or known in ("refused", "unsent"):
            differences.append(Mismatch("unexpected", (id_,), place[id_][0] if id_ in place else None))
        elif known == "certain":
            in_order.append(id_)
    return differences + _disorder(in_order, place)


def _disorder(got: Sequence[str], place: dict[str, tuple[int, int, int]]) -> list[Mismatch]:
    """Find messages that came before one that stands earlier in the inbox."""
    found = []
    furthest: str | None = None
    ends: dict[tuple[int, int], str] = {}
    for id_ in got:
        item, lane, at = place[id_]
        before = ends.get((item, lane))
        if furthest is not None and place[furthest][0] > item:
            found.append(Mismatch("order", (furthest, id_), item))
        elif before is not None and place[before][2] > at:
            found.append(Mismatch("order", (before, id_), item))
        if before is None or place[before][2] < at:
            ends[item, lane] = id_
        if furthest is None or place[furthest][0] < item:
            furthest = id_
    return found
