"""Short lives of drivers in the process that will fork drivers.

Python makes much of what it needs when it is first used: tables of attributes, specialised code, an event loop
policy. What exists before the fork is shared by all children, what each makes after it is not. So the keeper has
a driver greet, be set up and leave, often enough for Python to specialise the code, before it forks any.

Invariant: afterwards there is no thread, no event loop, no open descriptor and no gRPC object more than before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, Final

from harness.drivers.base import Driver, play
from harness.drivers.hello import greet

#: Python 3.11 specialises code that has run eight times. All of them take 4 ms.
_LIVES: Final = 10
#: One answer of each kind; `disconnect` is refused, since nothing connects in a rehearsal.
_REQUESTS: Final[tuple[dict[str, Any], ...]] = (
    {"op": "setup", "client": "nobody", "user": "nobody", "cast": [], "rooms": []},
    {"op": "disconnect"},
    {"op": "bye"},
)


def rehearse(make: Callable[[], Driver]) -> None:
    """Play drivers from `hello` to `bye`, unheard.

    Args:
        make: makes one that has not run yet.
    """
    for _ in range(_LIVES):
        _live(make())


def _live(driver: Driver) -> None:
    reading, asking = os.pipe()
    heard, answering = os.pipe()
    try:
        for number, request in enumerate(_REQUESTS, 1):
            os.write(asking, json.dumps({"id": number, **request}).encode() + b"\n")
        greet(driver.name, driver.capabilities, (), answering)
        play(driver, reading, answering)
    finally:
        for fd in (reading, asking, heard, answering):
            os.close(fd)
