"""Drivers that tell their client wrongly what the good server says: a client library can be broken, too.

What the good library makes up for (it drops what comes a second time, and opens a stream anew that has a hole) can
only be broken here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from gallery.broken import Broken


def _teller() -> Any:
    # By its name: the gallery is imported by servers, which have no use for a driver.
    return import_module("harness.drivers.reading").Teller


def _go_back() -> None:
    """Hand each second message over before the one that came before it, and claim nothing meanwhile."""
    teller = _teller()
    hand_over: Callable[..., None] = teller._hand_over
    held: list[Any] = []

    def handing(self: Any, message: Any, via: Mapping[str, Any]) -> None:
        if held:
            hand_over(self, message, via)
            hand_over(self, held.pop(), via)
        else:
            held.append(message)

    teller._hand_over = handing
    teller._close = lambda *_: None


def _claim_less() -> None:
    """Claim, after each claim, the one before it again."""
    teller = _teller()
    close: Callable[..., None] = teller._close

    def closing(self: Any, delta: Any, via: Mapping[str, Any]) -> None:
        close(self, delta, via)
        if delta.messages:
            claimed = {"room": delta.room, "after": 0, "through": delta.through - 1}
            self._driver.event("claim", **claimed, **via)

    teller._close = closing


GOES_BACK = Broken(
    name="goes-back",
    does="hands each second message over before the one before it",
    drive=_go_back,
    kinds=frozenset({"order-back"}),
    scenarios=("own/two_and_two",),
)
CLAIMS_LESS = Broken(
    name="claims-less",
    does="says that a room is complete, and then that it was only so far",
    drive=_claim_less,
    kinds=frozenset({"position-back"}),
    scenarios=("own/two_and_two",),
)


def main(argv: Sequence[str]) -> int:
    """Be a client's driver: `NAME [--sound]`, then what the driver is told."""
    from gallery import GALLERY  # noqa: PLC0415  # which imports this module

    name, *options = argv or ("",)
    drives = {broken.name: broken.drive for broken in GALLERY.values() if broken.drive is not None}
    if name not in drives:
        sys.stderr.write(f"gallery.tells_wrongly: no broken driver is called {name!r}: {', '.join(drives)}\n")
        return 2
    if "--sound" not in options:
        drives[name]()
    driver: Callable[[list[str]], int] = import_module("harness.drivers.chatsys").main
    return driver([option for option in options if option != "--sound"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
