"""no-phantom: nothing is delivered that nobody sent.

| kind | violated when |
|---|---|
| phantom | delivered or read by the audit, never attempted until then: by this user, in this room, with this text |
| aborted-read | delivered or read by the audit, and refused: every try of it ended fail |

Sentinels of the harness are attempted by it. An open send may exist, so a sighting of it is none of these.
"""

from __future__ import annotations

from typing import ClassVar

from harness.judge.family import Family
from harness.judge.findings import proof
from harness.judge.messages import NEVER, Message
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Verdict


class NoPhantom(Family):
    """Compares each sighting with what was attempted."""

    name: ClassVar[str] = "no-phantom"
    wants = frozenset({"deliver", "read"})

    def __init__(self) -> None:
        super().__init__()
        self._judged = 0
        self._doubtful: list[tuple[Message, str, int]] = []
        """Sightings of what was not acknowledged then: (message, who saw it, op index)."""

    def step(self, state: State, op: Op) -> None:
        """Compare the text, and remember what nobody has acknowledged yet."""
        self._judged += 1
        delivered = op.f == "deliver"
        message = state.now.message if delivered else state.messages.of(op.value)
        who = state.now.client.name if delivered else "the audit"
        if message.acked_at == NEVER:
            self._doubtful.append((message, who, op.index))
        text = op.value.get("text")
        if (
            text != message.text
            and isinstance(text, str)
            and message.text is not None
            and message.tries
            and text not in (message.texts or ())
        ):
            self.found.add(
                "phantom",
                f"{{who}} got `{message.name}` with a text that {message.sender} never sent: {_short(text)} "
                f"instead of {_short(message.text)}",
                proof(message.first_invoke, op.index),
                (message,),
                who=who,
            )

    def finish(self, state: State) -> Verdict:
        """Convict the sightings of what, at the end, was never attempted or refused."""
        for message, who, index in self._doubtful:
            if not message.tries:
                self._phantom(state, message, who, index)
            elif index < message.first_invoke:
                self.found.add(
                    "phantom",
                    f"{{who}} got `{message.name}` before {message.sender} sent it",
                    proof(index, message.first_invoke),
                    (message,),
                    who=who,
                )
            elif message.refused:
                code = message.error.get("code") or "an error"
                self.found.add(
                    "aborted-read",
                    f"{{who}} got `{message.name}`, which was refused to {message.sender} with {code}",
                    proof(message.first_invoke, message.refusal, index),
                    (message,),
                    who=who,
                    hint="The server stored or passed on a message before, or although, it refused it.",
                )
        refused = sum(message.refused for message in state.messages.all.values())
        return self.verdict(
            self._judged,
            idle="nothing was delivered or read",
            occasions={"phantom": self._judged, "aborted-read": refused},
        )

    def _phantom(self, state: State, message: Message, who: str, index: int) -> None:
        like = state.messages.namesake(message)
        room, sender = message.room or "no room", message.sender or "nobody"
        if like is None:
            sentence = f"{{who}} got `{message.name}` in {room} from {sender}, which nobody sent"
            ops = proof(index)
        else:
            sentence = (
                f"{{who}} got `{message.name}` in {room} from {sender}, "
                f"but {like.sender} sent it to {like.room}"
            )
            ops = proof(like.first_invoke, index)
        pointers = (like.pointer,) if like is not None else ()
        self.found.add("phantom", sentence, ops, (message,), who=who, pointers=pointers)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
