"""`limits`: how long deliveries may take."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.latency import QUANTILES
from harness.source.reporter import Reporter
from harness.verbs.keys import Keys, key, read_keys
from harness.verbs.kinds import DEADLINE, describe
from harness.verbs.problem import Problem


@dataclass(frozen=True, kw_only=True)
class LimitsKeys(Keys):
    """The keys of `limits`."""

    delivery_p50: int | None = key(DEADLINE, "Half of the deliveries are as quick as this.", default=None)
    delivery_p90: int | None = key(DEADLINE, "Nine of ten deliveries are.", default=None)
    delivery_p99: int | None = key(DEADLINE, "Ninety-nine of a hundred deliveries are.", default=None)


def read_limits(data: object, report: Reporter) -> dict[str, int]:
    """Return the limits of a file by name, ns; what is wrong is reported."""
    if not isinstance(data, dict):
        report(
            Problem(
                code="wrong-type",
                pointer="/limits",
                message=f"a map is wanted here, not {describe(data)}",
                label="write `{delivery_p99: 50ms}`",
            )
        )
        return {}
    keys = read_keys(LimitsKeys, data, "/limits", report, what="`limits`")
    found = {name: getattr(keys, name) for name in QUANTILES}
    return {name: limit for name, limit in found.items() if limit is not None}
