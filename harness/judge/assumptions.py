"""What the judge takes for granted about a history; broken, the run is unknown and the sentence says why."""

from __future__ import annotations

from harness.model.history import NEMESIS, Op

KNOWN = frozenset(
    {
        *(
            "start",
            "spawn",
            "exit",
            "create",
            "join",
            "leave",
            "add",
            "kick",
            "connect",
            "disconnect",
            "send",
        ),
        *("deliver", "claim", "connection", "ended", "poll", "ack", "fence", "history", "read", "expect"),
        *("gone", "rotate_keys"),
        *("wait", "parallel", "listen", "leftovers", "holds", "script", "final"),
        *("workload", "skip", "drain"),
    }
)
ALONE = frozenset(
    {
        "spawn",
        "deliver",
        "claim",
        "connection",
        "ended",
        "read",
        "exit",
        "leftovers",
        "holds",
        "skip",
        "fired",
    }
)
"""Lines that nothing invokes."""
TYPES = frozenset({"invoke", "ok", "fail", "info"})
MOST = 20
"""So many sentences are kept; a history that is none breaks an assumption with each line."""


class Assumptions:
    """Checks each operation's form, and remembers which are open."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.count = 0
        self._next = 0
        self._open: dict[int, tuple[int, str, str]] = {}
        self._invoked: dict[int, int] = {}
        self._current: tuple[int, int] = (-1, -1)

    def complain(self, sentence: str) -> None:
        """Note one broken assumption."""
        self.count += 1
        if len(self.broken) < MOST:
            self.broken.append(sentence)

    def check(self, op: Op) -> None:
        """Look at one operation before anybody else does."""
        if op.index != self._next:
            self.complain(f"operation {op.index} follows {self._next - 1}: indices count without holes")
        self._next = op.index + 1
        if op.type not in TYPES:
            self.complain(f"operation {op.index} has the unknown type {op.type!r}")
        elif op.f in ALONE:
            if op.type != "ok":
                self.complain(f"operation {op.index}: `{op.f}` is always ok, not {op.type}")
        elif op.f not in KNOWN and op.process != NEMESIS:
            self.complain(f"operation {op.index}: nobody knows what `{op.f}` is")
        elif op.op is None:
            self.complain(f"operation {op.index}: `{op.f}` has no `op` that pairs it")
        elif op.type == "invoke":
            if op.op in self._invoked:
                self.complain(f"operation {op.index}: a second invocation with `op` {op.op}")
            self._invoked[op.op] = op.index
            self._open[op.op] = (op.index, op.f, op.process)
        else:
            began = self._open.pop(op.op, None)
            if began is None:
                self.complain(
                    f"operation {op.index}: `{op.f}` ends without having been invoked (`op` {op.op})"
                )
            elif began[1:] != (op.f, op.process):
                self.complain(
                    f"operation {op.index}: `{op.f}` of {op.process} ends what began as `{began[1]}` of {began[2]}"
                )

    def invoked_at(self, op: Op) -> int:
        """Return the index of the invocation that this completion ends; its own when there is none."""
        return self._invoked.get(op.op, op.index) if op.op is not None else op.index

    @property
    def unfinished(self) -> int:
        """How many operations never ended."""
        return len(self._open)
