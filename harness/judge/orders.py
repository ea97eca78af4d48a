"""Finds readers who saw messages in orders that no single order explains.

Each reader's order is a chain; the chains of a room together are a graph, and one order explains them all
exactly if the graph has no cycle. Finding out is linear in the deliveries; each contradiction is then shown by
two readers and two messages where there are such, else by the cycle's closing step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from harness.judge.messages import Message

MOST = 20
"""So many contradictions are shown of one room: each is an example of the same fault."""


class Chain(NamedTuple):
    """The first deliveries of one reader, in order."""

    reader: str
    order: Sequence[Message]
    at: Mapping[Message, int]
    """Op index of each."""


class Step(NamedTuple):
    """One reader saw one message before another."""

    chain: Chain
    before: Message
    after: Message


Contradiction = Sequence[Step]
"""Steps that lead back to where they began: two readers who saw two messages the other way round, or, where no two
of them contradict each other, more."""


def contradictions(chains: Sequence[Chain]) -> Iterator[Contradiction]:
    """Yield contradictions between the chains of one room, at most `MOST`."""
    left = [list(chain.order) for chain in chains]
    for _ in range(MOST):
        core = _core(left)
        if not core:
            return
        cycle = _cycle([[message for message in order if message in core] for order in left])
        found = _pair(chains, cycle)
        yield found
        out = found[0].after
        left = [[message for message in order if message is not out] for order in left]


def _core(orders: Sequence[Sequence[Message]]) -> set[Message]:
    """Return what is left when everything that can stand first has been taken away: cycles and what follows."""
    waiting: dict[Message, int] = {}
    followers: dict[Message, list[Message]] = {}
    for order in orders:
        for message in order:
            waiting.setdefault(message, 0)
        for before, after in pairwise(order):
            followers.setdefault(before, []).append(after)
            waiting[after] += 1
    ready = [message for message, count in waiting.items() if not count]
    while ready:
        message = ready.pop()
        del waiting[message]
        for after in followers.get(message, ()):
            waiting[after] -= 1
            if not waiting[after]:
                ready.append(after)
    return set(waiting)


def _cycle(orders: Sequence[Sequence[Message]]) -> list[tuple[int, Message, Message]]:
    """Return a cycle as steps (chain, before, after); every message of a core has one before it."""
    before: dict[Message, tuple[int, Message]] = {}
    for number, order in enumerate(orders):
        for first, second in pairwise(order):
            before.setdefault(second, (number, first))
    at = next(iter(before))
    seen: dict[Message, int] = {}
    steps: list[tuple[int, Message, Message]] = []
    while at not in seen:
        seen[at] = len(steps)
        number, first = before[at]
        steps.append((number, first, at))
        at = first
    return steps[seen[at] :]


def _pair(chains: Sequence[Chain], cycle: Sequence[tuple[int, Message, Message]]) -> Contradiction:
    """Return two readers and two messages if they show the contradiction, else the whole cycle."""
    for number, first, second in cycle:
        for other in chains:
            at = other.at
            if first in at and second in at and at[second] < at[first]:
                return [Step(chains[number], first, second), Step(other, second, first)]
    steps: list[Step] = []
    for number, first, second in reversed(cycle):  # it was followed backwards
        if steps and steps[-1].chain is chains[number]:
            steps[-1] = steps[-1]._replace(after=second)
        else:
            steps.append(Step(chains[number], first, second))
    return steps
