"""The lives of processes: who started, ended, came and went, and which faults were played on whom."""

from __future__ import annotations

from harness.judge.facts import NOT_CLIENTS, Facts, Fault
from harness.judge.messages import NEVER
from harness.model.history import ENDS_ITSELF, HEALS, SERVER, Op

ENDING = frozenset({*HEALS, *ENDS_ITSELF, "fired"})
"""Acts of the nemesis after which a fault is over."""


class Lives(Facts):
    """How the facts change with what processes, and the nemesis, do."""

    def _spawn(self, op: Op) -> None:
        said = op.value.get("capabilities")
        if isinstance(said, (list, tuple)):
            self.said[op.client] = frozenset(item for item in said if isinstance(item, str))
        if op.process not in NOT_CLIENTS:
            process = self.process(op.process, op.index)
            process.reader.cause_at = op.index

    def _exit(self, op: Op) -> None:
        self.exits.append(op)
        if op.process == SERVER:
            self.disturbed_at = op.index
        elif op.process not in NOT_CLIENTS:
            process = self.process(op.process, op.index)
            process.client.gone(op.index)
            process.reader.cause_at = op.index

    def _start(self, op: Op) -> None:
        self.starts.append(op)
        self.disturbed_at = op.index

    def _life(self, op: Op) -> None:
        self.lives.append(op)
        if op.f == "final" and op.type == "invoke":
            self.final_at = op.index

    def _connect(self, op: Op) -> None:
        process = self.process(op.process, op.index)
        if op.type == "invoke":
            if op.op is not None:
                self.carriers[op.op] = (op.index, "connect")
            process.client.connecting(op.index)
        elif op.type == "fail":
            process.client.refused(self.assumptions.invoked_at(op))
            if op.step in self.refusals:
                self.left_alone.add(process.client.name)
        elif op.type == "ok" and process.client.name in self.left_alone:
            self._back(process.client.name)
        if op.type != "invoke" and self.final_at >= 0:
            process.client.unreached = op.type != "ok"
        process.connection_at = process.reader.cause_at = op.index

    def _back(self, client: str) -> None:
        if not any(known.name == client and known.stay_offline for known in self.plan.clients):
            self.left_alone.discard(client)

    def _disconnect(self, op: Op) -> None:
        process = self.process(op.process, op.index)
        if op.type == "ok":
            process.client.gone(op.index)
        process.connection_at = op.index

    def _connection(self, op: Op) -> None:
        process = self.process(op.process, op.index)
        process.connection_at = process.reader.cause_at = op.index
        if op.value.get("state") == "lost":
            process.lost_at = op.index
        else:
            process.reconnected_at, process.restored_at = process.lost_at, op.index

    def _nemesis(self, op: Op) -> None:
        """A fault is active from its invocation until what ends it was answered."""
        named = op.value.get("targets", op.value.get("target", ""))
        targets = [str(item) for item in named] if isinstance(named, (list, tuple)) else [str(named)]
        struck = [self.clients.get(target.partition("#")[0]) for target in targets]
        if not struck or None in struck:
            self.disturbed_at = op.index
        for client in struck:
            if client is not None:
                client.reader.cause_at = op.index
        if op.type == "invoke" and op.f not in HEALS:
            for target in targets:
                fault = Fault(op.f, target, op.index, op.value.get("id"), op.step)
                self.faults.append(fault)
                self._active.setdefault(target, []).append(fault)
        elif op.type == "ok" and op.f in ENDING:
            for target in targets:
                for fault in self._active.get(target, ()):
                    if fault.ended_by(op):
                        fault.until = op.index
                self._active[target] = [
                    fault for fault in self._active.get(target, ()) if fault.until == NEVER
                ]
