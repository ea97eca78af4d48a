"""What the verbs of network faults have in common: how their targets are read, and the kinds of their keys."""

from __future__ import annotations

import re

from harness.model.faults import SERVER
from harness.model.network import Direction
from harness.verbs.ids import id_by_place
from harness.verbs.kinds import BadValueError, Kind, one_of, wrong_type
from harness.verbs.phrases import duration
from harness.verbs.problem import Problem
from harness.verbs.scope import Scope
from harness.verbs.targets import Targets, begin, check, named, told, wrong_state

_BANDWIDTH = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(B|KB|MB|KiB|MiB)/s\Z")
_BYTES = {"B": 1, "KB": 1000, "MB": 1000**2, "KiB": 1024, "MiB": 1024**2}
_MOST = 10**9


def _read_bandwidth(value: object) -> int:
    if not isinstance(value, str):
        raise wrong_type("a bandwidth such as `100KB/s`", value)
    match = _BANDWIDTH.match(value)
    if match is None:
        raise BadValueError(
            f"`{value[:70]}` is not a bandwidth",
            "write bytes a second: `100KB/s`",
            ("units: B/s, KB/s, MB/s, KiB/s, MiB/s",),
        )
    rate = round(float(match[1]) * _BYTES[match[2]])
    if not 1 <= rate <= _MOST:
        raise BadValueError(f"`{value}` is out of range", "1B/s to 1000MB/s")
    return rate


BANDWIDTH: Kind[int] = Kind(
    _read_bandwidth, {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,3})?(B|KB|MB|KiB|MiB)/s$"}
)
DIRECTION: Kind[Direction] = one_of("both", "to_server", "from_server")


def strike(
    who: Targets, id_: str | None, scope: Scope, pointer: str, *, verb: str, ends: bool, joined: bool = False
) -> tuple[tuple[str, ...], str] | None:
    """Read whom a network fault strikes, and take note that it begins.

    Args:
        who: what stands under the verb.
        id_: what the author calls it.
        scope: what is known at this step.
        pointer: of the step.
        verb: under which `who` stands.
        ends: whether it ends by itself.
        joined: whether it strikes connections that exist, and no others.

    Returns:
        Its targets and its id; None when something was reported.
    """

    def fault(name: str, where: str) -> Problem | None:
        if not joined or name == SERVER or not scope.is_offline(name):
            return None
        remedy = f"`connect: {name}` must come before"
        return wrong_state(name, "has no connection", where, scope, scope.left.get(name), remedy)

    targets = check(named(who, scope, f"{pointer}/{verb}"), scope, fault)
    given = id_ or id_by_place(scope, pointer)
    if not begin(scope, given, pointer, targets, ends=ends, heals=True) or not targets:
        return None
    return targets, given


def lasting(for_ns: int | None) -> str:
    """Return ` for 2 s`, or nothing when a fault has no `for`."""
    return "" if for_ns is None else f" for {duration(for_ns)}"


def of_whom(targets: tuple[str, ...]) -> str:
    """Return whose network a fault is about: `bob and chad`, or `everybody` for the server's."""
    return "everybody" if SERVER in targets else told(targets)
