"""How fast a history is judged: `python bench/judge_speed.py [OPERATIONS]`.

A correct room of 20 members, one of whom always speaks; everybody reads everything, is claimed to every ten
messages, and is fenced at the end. Printed: operations, seconds, operations a second, peak memory.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator

from harness.judge import judge
from harness.model.cast import Client, Room
from harness.model.history import Op
from harness.model.plan import Plan

MEMBERS = 20


def plan() -> Plan:
    names = tuple(f"user-{number}" for number in range(MEMBERS))
    return Plan(
        title="speed",
        name="speed",
        file="speed.yaml",
        source="",
        clients=tuple(Client(name=name, user=name, display_name=name) for name in names),
        rooms=(Room(name="hall", members=names),),
        steps=(),
    )


def history(size: int) -> Iterator[Op]:
    """Yield about `size` operations, made as they are asked for, as when they are read from a file."""
    index = count = 0
    names = [f"user-{number}" for number in range(MEMBERS)]
    connects: dict[str, int] = {}
    for name in names:
        count += 1
        connects[name] = count
        yield Op(index, index, name, "invoke", "connect", {}, count)
        yield Op(index + 1, index, name, "ok", "connect", {}, count)
        index += 2
    said = 0
    while index < size:
        said += 1
        count += 1
        sender = names[said % MEMBERS]
        message = {
            "room": "hall",
            "id": f"m.{said}",
            "client_message_id": f"k{said}",
            "sender": sender,
            "text": "hi",
        }
        yield Op(index, index, sender, "invoke", "send", message, count)
        index += 1
        for name in names:
            if name != sender:
                got = {**message, "sequence": said + 1, "via": connects[name]}
                yield Op(index, index, name, "ok", "deliver", got)
                index += 1
            if said % 10 == 0:
                claimed = {"room": "hall", "after": said - 9, "through": said + 1, "via": connects[name]}
                yield Op(index, index, name, "ok", "claim", claimed)
                index += 1
        answer = {**message, "sequence": said + 1, "position": f"p{said}"}
        yield Op(index, index, sender, "ok", "send", answer, count)
        index += 1
    for name in names:
        count += 1
        fence = {"grade": "position", "positions": [f"p{said}"]}
        yield Op(index, index, name, "invoke", "fence", fence, count)
        yield Op(index + 1, index, name, "ok", "fence", fence, count)
        index += 2


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    start = time.process_time()
    made = sum(1 for _ in history(size))
    making = time.process_time() - start
    start = time.process_time()
    judgement = judge(plan(), history(size))
    taken = time.process_time() - start - making
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{made} operations judged in {taken:.2f} s of processor: {made / taken:,.0f} /s, peak {memory:.0f} MiB "
        f"({judgement.status}{': ' + judgement.reason if judgement.reason else ''})"
    )


if __name__ == "__main__":
    main()
