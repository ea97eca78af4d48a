"""no-echo: nobody is told what he said himself.

| kind | violated when |
|---|---|
| echo | a message is delivered to its own user, on whatever device, without `include_own` |
"""

from __future__ import annotations

from typing import ClassVar

from harness.judge.evidence import GRADES, no_evidence, silence
from harness.judge.family import Family
from harness.judge.findings import proof
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Verdict


class NoEcho(Family):
    """Looks at deliveries to the sender's own user."""

    name: ClassVar[str] = "no-echo"
    wants = frozenset({"deliver"})

    def step(self, state: State, op: Op) -> None:
        """Convict a delivery of one's own."""
        now = state.now
        if now.own and now.message.tries and not now.reader.include_own:
            self.found.add(
                "echo",
                f"{{who}} got `{now.message.name}`, which {now.reader.user} sent",
                proof(now.message.first_invoke, op.index),
                (now.message,),
                who=now.client.name,
                hint="The server does not leave the sender out when it hands a message to the room.",
            )

    def finish(self, state: State) -> Verdict:
        """Count the messages whose senders stayed without them, and how that was shown."""
        evidence, judged = no_evidence(), 0
        for message in state.messages.all.values():
            for reader in state.readers_of_user(message.sender):
                if reader.include_own or not message.acknowledged:
                    continue
                judged += 1
                grades = [
                    shown[1] for client in reader.clients if (shown := silence(client, message)) is not None
                ]
                if grades:
                    evidence[min(grades, key=GRADES.index)] += 1
        judged = max(judged, len(self.found))
        return self.verdict(
            judged,
            idle="no client's message was acknowledged",
            evidence=evidence,
            occasions={"echo": judged},
        )
