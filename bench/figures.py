"""How figures are printed: each with what is wanted beside it, and whether it is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def say(name: str, value: float, unit: str, *, least: float | None = None, most: float | None = None) -> None:
    """Print one figure.

    Args:
        name: What it is.
        value: In the unit; its first place or two count.
        unit: Such as "acks/s".
        least: Wanted at least; None where nothing is wanted of it.
        most: Wanted at most.
    """
    wanted = ""
    if least is not None:
        wanted = f"  wanted >= {_short(least)}  {'' if value >= least else 'MISSED'}"
    elif most is not None:
        wanted = f"  wanted <= {_short(most)}  {'' if value <= most else 'MISSED'}"
    print(f"  {name:<58} {_short(value):>12} {unit:<14}{wanted}".rstrip(), flush=True)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all is not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


median = statistics.median
