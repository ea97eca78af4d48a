"""`inboxes`: what each client must have received by the end, first deliveries in order.

Deduplicated over incarnations: duplicates are the business of an invariant. Sentinels never count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.evidence import final_grade, no_evidence
from harness.judge.expectations.absent import absence, watch
from harness.judge.findings import proof, quoted
from harness.judge.messages import NEVER, Message
from harness.judge.readers import Client
from harness.judge.state import State
from harness.matching import Mismatch, Standing, match_inbox
from harness.model.plan import Inbox
from harness.model.verdict import Status, Verdict, Violation


class InboxCheck(Check):
    """The inbox of one client in one room."""

    group: ClassVar[Group] = "expectation"

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.pointer = inbox.pointer
        self._got: dict[Message, int] = {}

    @property
    def title(self) -> str:
        """Whose inbox."""
        return f"inbox of {self._inbox.client}"

    def prepare(self, state: State) -> None:
        """Keep who was put out of a room, and where."""
        watch(state)

    def conclude(self, state: State) -> Iterable[Verdict]:
        """Compare with what was written."""
        known = state.messages.by_id
        client = state.clients.get(self._inbox.client)
        if client is not None:
            inbox = client.inbox(self._inbox.room)
            self._got = {message: index for message, index in inbox.items() if not state.sentinel(message)}

        def standing(id_: str) -> Standing:
            return known[id_].standing if id_ in known else "unsent"

        names = {_id(message): message for message in self._got}
        items = [item.series for item in self._inbox.items]
        differences = match_inbox(items, list(names), standing)
        grade = _grade(state, client)
        unread = grade is None
        evidence = no_evidence()
        if grade is not None:
            evidence[grade] = 1
        hard = [difference for difference in differences if difference.kind != "missing" or not unread]
        violations = [self._violation(state, names, difference, client) for difference in hard]
        status, reason = Status.PASS, ""
        if violations:
            status = Status.FAIL
        elif unread:
            status = Status.UNKNOWN
            missing = [difference.ids[0] for difference in differences]
            reason = f"nothing shows that {self._inbox.client} was read to the end"
            if missing:
                reason += f"; {quoted(missing)} had not come"
        return (
            self.pronounce(
                status,
                reason=reason,
                exercised=len(self._got),
                evidence=evidence,
                violations=tuple(violations),
            ),
        )

    def _violation(
        self, state: State, names: dict[str, Message], difference: Mismatch, client: Client | None
    ) -> Violation:
        inbox, ids = self._inbox, difference.ids
        messages = [names.get(id_) or state.messages.by_id[id_] for id_ in ids]
        at = [self._got.get(message, -1) for message in messages]
        first = messages[0]
        item = inbox.items[difference.item] if difference.item is not None else None
        hint = ""
        if difference.kind == "missing":
            sentence = (
                f"{inbox.client} never got `{ids[0]}`, which {first.sender} sent and the server acknowledged"
            )
            hint = absence(state, (inbox.client,), first)
            fences = client.reader.fences if client is not None else []
            ops = proof(first.first_invoke, first.acked_at, fences[-1].index if fences else -1)
        elif difference.kind == "unexpected":
            sentence = f"{inbox.client} got `{ids[0]}`, which is not in this inbox"
            if first.refused:
                sentence = f"{inbox.client} got `{ids[0]}`, which was refused"
            ops = proof(first.first_invoke if first.tries else -1, at[0])
        else:
            sentence = f"{inbox.client} got `{ids[0]}` before `{ids[1]}`, and should have got it after"
            ops = proof(*at)
        places = (
            item.pointer if item is not None else inbox.pointer,
            *(message.pointer for message in messages),
        )
        return Violation(
            kind="inbox",
            sentence=sentence,
            ops=ops,
            pointers=tuple(dict.fromkeys(place for place in places if place is not None)),
            clients=(inbox.client,),
            messages=ids,
            expected=_listed([item.written for item in inbox.items]),
            actual=_listed([_id(message) for message in self._got]),
            hint=hint,
        )


class NothingElse(Check):
    """A client whom `inboxes` names hears nothing in rooms where it has no inbox."""

    group: ClassVar[Group] = "expectation"

    def __init__(self, client: str, rooms: frozenset[str]) -> None:
        self._client = client
        self._rooms = rooms
        self.pointer = f"/inboxes/{client}"
        self._got: dict[Message, int] = {}

    @property
    def title(self) -> str:
        """Whose inbox."""
        return f"inbox of {self._client}"

    def conclude(self, state: State) -> Iterable[Verdict]:
        """Return a verdict if the client has no inbox at all, or heard what it should not."""
        client = state.clients.get(self._client)
        if client is not None:
            for room in sorted(client.reader.shelves.keys() - self._rooms):
                inbox = client.inbox(room)
                self._got.update(
                    (message, at) for message, at in inbox.items() if not state.sentinel(message)
                )
        if self._rooms and not self._got:
            return ()
        grade = _grade(state, client)
        evidence = no_evidence()
        if grade is not None:
            evidence[grade] = 1
        violations = tuple(
            Violation(
                kind="inbox",
                sentence=f"{self._client} got `{_id(message)}` in {message.room or 'no room'}, "
                "and should have heard nothing there",
                ops=proof(message.first_invoke if message.first_invoke != NEVER else -1, index),
                pointers=tuple(place for place in (self.pointer, message.pointer) if place is not None),
                clients=(self._client,),
                messages=(_id(message),),
                expected="[]",
                actual=_listed([_id(other) for other in self._got]),
            )
            for message, index in self._got.items()
        )
        status, reason = (Status.FAIL, "") if violations else (Status.PASS, "")
        if not violations and grade is None:
            status, reason = Status.UNKNOWN, f"nothing shows that {self._client} was read to the end"
        return (
            self.pronounce(
                status,
                reason=reason,
                exercised=len(self._got),
                evidence=evidence,
                violations=violations,
            ),
        )


def _grade(state: State, client: Client | None) -> str | None:
    if client is None:
        return None
    left_alone = client.name in state.left_alone
    return final_grade(client, state.final_at, state.size, left_alone=left_alone)


def _id(message: Message) -> str:
    """Return the plan's id of a message that was sent; what nobody sent has a name that no inbox has."""
    return message.name if message.tries else f"{message.name} (never sent)"


def _listed(names: list[str]) -> str:
    return f"[{', '.join(names)}]"
