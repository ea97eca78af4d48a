"""Operations with each connect before what came of it.

A message may overtake the answer to the connect that it followed: the history has it first, and a reader would see
somebody get something who is not there. The connect is then told at the moment of the first such message: the server
had it by then. Nothing is held back longer than a connect takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.model.history import Op


def connected_first(ops: Iterable[Op], *, invoked: bool) -> Iterator[Op]:
    """Yield the operations; their times still never fall.

    Args:
        ops: In their order.
        invoked: Whether invocations are among them. Then only who has asked to connect is waited for.
    """
    held: list[Op] = []
    there: set[str] = set()
    asking: set[str] = set()
    early: dict[str, Op] = {}
    for op in ops:
        who = op.process
        first = None
        match op.f, op.type:
            case "connect", "invoke":
                asking.add(who)
            case "connect", "ok":
                there.add(who)
                asking.discard(who)
                first = early.pop(who, None)
            case ("connect", "fail" | "info") | ("disconnect" | "exit", "ok"):
                there.discard(who)
                asking.discard(who)
                early.pop(who, None)
            case "deliver", _ if who not in there and (who in asking or not invoked):
                early.setdefault(who, op)
            case _:
                pass
        if first is None:
            held.append(op)
        else:
            place = next(place for place, other in enumerate(held) if other is first)
            held.insert(place, replace(op, time=first.time))
        if not early:
            yield from held
            held.clear()
    yield from held
