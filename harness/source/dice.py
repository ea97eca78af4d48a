"""Chance from a seed: the same seed gives the same draws, on every machine and every version of Python.

Only `Random.random` is used, the one method whose sequence the library promises to keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """One stream of draws.

    Args:
        seed: of the run.
        purpose: what is drawn; streams of one seed for different purposes have nothing in common.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        from random import Random  # noqa: PLC0415 - few scenarios leave anything to chance

        self._random = Random(f"{purpose} {seed}").random

    def fraction(self) -> float:
        """Return a number from 0 up to 1."""
        return self._random()

    def pick(self, items: Sequence[T]) -> T:
        """Return one of these."""
        return items[int(self._random() * len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return so many of these, each at most once, in an order of its own; all when there are fewer."""
        left = list(items)
        return [left.pop(int(self._random() * len(left))) for _ in range(min(count, len(left)))]

    def weighted(self, weights: Mapping[T, int]) -> T:
        """Return a key, each as often as its weight says; one weight at least is not 0."""
        point = self._random() * sum(weights.values())
        for item, weight in weights.items():
            point -= weight
            if point < 0:
                return item
        return max(weights, key=lambda item: weights[item])  # rounding: the point was the very end
