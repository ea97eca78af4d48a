"""The first line of a driver, written before anything slow is imported or done."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Final

PROTOCOL: Final = 1


def greet(
    name: str, capabilities: Sequence[str], argv: Sequence[str], stdout: int = 1
) -> tuple[str, ...] | int:
    """Write `hello`; return the capabilities it names, or the exit code when the driver is to end at once.

    Args:
        name: what the driver calls itself.
        capabilities: all it could do.
        argv: `--without CAP[,CAP]` plays a server that cannot do all this one can.
        stdout: file descriptor to write to.
    """
    left = tuple(capabilities)
    if (
        argv
    ):  # argparse costs a forked process more memory than all the rest, so it is left alone without need
        try:
            without = _without(name, left, argv)
        except SystemExit as end:  # argparse has said why
            return int(end.code or 0)
        left = tuple(word for word in left if word not in without)
    line = json.dumps({"event": "hello", "driver": name, "protocol": PROTOCOL, "capabilities": left})
    try:
        os.write(stdout, line.encode() + b"\n")
    except BrokenPipeError:
        return 0
    return left


def _without(name: str, known: Sequence[str], argv: Sequence[str]) -> set[str]:
    import argparse  # noqa: PLC0415 - see above

    parser = argparse.ArgumentParser(
        prog="driver", description=f"The driver {name}; see docs/driver-protocol.md."
    )
    parser.add_argument("--without", default="", metavar="CAP[,CAP]", help="capabilities to do without")
    without = {word for word in parser.parse_args(argv).without.split(",") if word}
    unknown = sorted(without - set(known))
    if unknown:
        parser.error(f"--without: no capability is called {unknown[0]!r}; there are {', '.join(known)}")
    return without
