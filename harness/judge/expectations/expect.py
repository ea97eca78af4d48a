"""`expect` steps: who must have received a message within the deadline, and who must not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.evidence import BY_WINDOW, no_evidence, silence
from harness.judge.expectations.absent import absence, watch
from harness.judge.findings import people, proof, quoted
from harness.judge.messages import Message
from harness.judge.state import State
from harness.matching import unmet, unwanted
from harness.model.actions import Expect
from harness.model.history import Op
from harness.model.steps import Step
from harness.model.verdict import Status, Verdict, Violation


class Sightings(Check):
    """First deliveries of what some `expect` asks about; one fold for all of them, with no verdict of its own."""

    group: ClassVar[Group] = "expectation"
    wants = frozenset({"deliver"})

    def __init__(self) -> None:
        self.got: dict[tuple[str, str], tuple[int, int]] = {}
        """(client, id) -> (op index, time)."""
        self._watched: set[str] = set()

    @property
    def title(self) -> str:
        """The name of its verdict, should it break."""
        return "expect"

    def watch(self, ids: Iterable[str]) -> None:
        """Note deliveries of these messages."""
        self._watched.update(ids)

    def step(self, state: State, op: Op) -> None:
        """Note a first delivery."""
        id_ = state.now.message.id
        if id_ is not None and id_ in self._watched and state.now.message.tries:
            self.got.setdefault((state.now.client.name, id_), (op.index, op.time))

    def conclude(self, state: State) -> Iterable[Verdict]:  # noqa: ARG002  the steps conclude
        """Leave the verdicts to the steps."""
        return ()


class ExpectStep(Check):
    """One `expect` step.

    `received_by` is met by a delivery recorded at most `within` after the step began. `not_by` is judged up to
    the step's end; its silence is shown by a fence or claim, by not being connected, or by the step's window.
    """

    group: ClassVar[Group] = "expectation"

    def __init__(self, step: Step, action: Expect, sightings: Sightings) -> None:
        self._action = action
        self._step = step
        self.pointer = step.pointer
        self._pairs = len(action.ids) * (len(action.received_by) + len(action.not_by))
        self._got = sightings.got
        sightings.watch(action.ids)
        self._by_hand: frozenset[str] = frozenset()
        self._began: Op | None = None
        self._ended: Op | None = None

    @property
    def title(self) -> str:
        """The step, as written."""
        return f"expect {self._action.written}"

    def prepare(self, state: State) -> None:
        """Keep when the step began and ended, and who reads by hand."""
        self._by_hand = frozenset(client.name for client in state.plan.clients if client.receive == "manual")
        state.keep(self._step.pointer)
        watch(state)

    def conclude(self, state: State) -> Iterable[Verdict]:
        """Compare."""
        for op in state.kept[self._step.pointer]:
            if op.f == "expect" and op.type == "invoke":
                self._began = op
            elif op.f == "expect":
                self._ended = op
        began = self._began
        if began is None:
            return (self._verdict(Status.NOT_EXERCISED, "the script stopped before this step"),)
        messages = {id_: state.messages.by_id[id_] for id_ in self._action.ids if id_ in state.messages.by_id}
        violations = [*self._missing(state, messages, began), *self._unwanted(messages)]
        evidence, unknown = self._silence(state, messages)
        if violations:
            return (self._verdict(Status.FAIL, "", evidence, violations),)
        if unknown:
            return (self._verdict(Status.UNKNOWN, unknown, evidence),)
        if unsent := [id_ for id_ in self._action.ids if id_ not in messages]:
            reason = f"{quoted(unsent)} was never sent"
            return (self._verdict(Status.UNKNOWN, reason, evidence),)
        open_ = [id_ for id_, message in messages.items() if message.standing == "open"]
        if self._action.received_by and open_ and len(open_) == len(self._action.ids):
            lacking = unmet(open_, self._action.received_by, self._got)
            if lacking:
                reason = f"nobody knows whether {quoted(open_)} exists: the server never answered"
                return (self._verdict(Status.UNKNOWN, reason, evidence),)
        return (self._verdict(Status.PASS, "", evidence),)

    def _verdict(
        self,
        status: Status,
        reason: str,
        evidence: dict[str, int] | None = None,
        violations: Iterable[Violation] = (),
    ) -> Verdict:
        return self.pronounce(
            status,
            reason=reason,
            exercised=0 if status is Status.NOT_EXERCISED else self._pairs,
            evidence=evidence or {},
            violations=tuple(violations),
        )

    def _missing(self, state: State, messages: dict[str, Message], began: Op) -> Iterable[Violation]:
        deadline = began.time + self._step.within_ns
        # Who reads by hand is judged on the polls before the step: nothing is waited for.
        in_time = {
            key
            for key, (index, time) in self._got.items()
            if (index < began.index if key[0] in self._by_hand else time <= deadline)
        }

        def wanted(id_: str) -> bool:
            """Open messages are not asked for; neither is what the script never came to send."""
            return id_ in messages and messages[id_].standing in ("certain", "refused")

        late: dict[str, list[str]] = {}
        for client, id_ in unmet(self._action.ids, self._action.received_by, in_time, wanted):
            late.setdefault(id_, []).append(client)
        for id_, clients in late.items():
            message = messages[id_]
            arrived = [self._got[client, id_] for client in clients if (client, id_) in self._got]
            fate = "refused" if message.refused else "acknowledged"
            sentence = f"{people(clients)} did not get `{id_}` within {_seconds(self._step.within_ns)}; it was {fate}"
            if self._by_hand.issuperset(clients):
                sentence = f"no poll of {people(clients)} has brought `{id_}`; it was {fate}"
            elif len(arrived) == len(clients):
                sentence += f", and came {_seconds(min(time for _, time in arrived) - deadline)} late"
            others = [client for client in self._action.received_by if client not in clients]
            hint = absence(state, clients, message) or (f"{people(others)} got it." if others else "")
            yield Violation(
                kind="missing",
                sentence=sentence,
                ops=proof(
                    message.first_invoke,
                    min(message.acked_at, message.refusal),
                    began.index,
                    self._ended.index if self._ended is not None else -1,
                    *(index for index, _ in arrived[:1]),
                ),
                pointers=_pointers(self.pointer, message),
                clients=tuple(clients),
                messages=(id_,),
                expected=f"`{id_}` received by {people(self._action.received_by)}",
                actual=f"not received by {people(clients)}",
                hint=hint,
            )

    def _unwanted(self, messages: dict[str, Message]) -> Iterable[Violation]:
        end = self._ended.index if self._ended is not None else None
        seen = {key for key, (index, _) in self._got.items() if end is None or index <= end}
        wrong: dict[str, list[str]] = {}
        for client, id_ in unwanted(self._action.ids, self._action.not_by, seen):
            wrong.setdefault(id_, []).append(client)
        for id_, clients in wrong.items():
            message = messages.get(id_)
            yield Violation(
                kind="unwanted",
                sentence=f"{people(clients)} got `{id_}`, and should not have",
                ops=proof(message.first_invoke if message else -1, self._got[clients[0], id_][0]),
                pointers=_pointers(self.pointer, message),
                clients=tuple(clients),
                messages=(id_,),
                expected=f"`{id_}` not received by {people(self._action.not_by)}",
                actual=f"received by {people(clients)}",
            )

    def _silence(self, state: State, messages: dict[str, Message]) -> tuple[dict[str, int], str]:
        """Count how the silence of `not_by` was shown; say whose was not."""
        evidence, unshown = no_evidence(), []
        end = self._ended.index if self._ended is not None else state.size
        for client in self._action.not_by:
            for id_, message in messages.items():
                if (client, id_) in self._got:
                    continue
                known = state.clients.get(client)
                shown = silence(known, message, end + 1) if known is not None else None
                if shown is None and client in self._by_hand:
                    continue  # its polls so far have not brought it, and that is all that is said
                if shown is not None:
                    evidence[shown[1]] += 1
                elif self._step.within_given and self._waited():
                    evidence[BY_WINDOW] += 1
                else:
                    unshown.append((client, id_))
        if not unshown:
            return evidence, ""
        client, id_ = unshown[0]
        return evidence, f"nothing shows that {client} had been read past `{id_}` without getting it"

    def _waited(self) -> bool:
        if self._began is None or self._ended is None:
            return False
        return self._ended.time - self._began.time >= self._step.within_ns


def _pointers(first: str | None, message: Message | None) -> tuple[str, ...]:
    places = (first, message.pointer if message is not None else None)
    return tuple(dict.fromkeys(place for place in places if place is not None))


def _seconds(ns: int) -> str:
    return f"{ns / 1e9:.3f}".rstrip("0").rstrip(".") + " s"
