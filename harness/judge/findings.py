"""Collects violations: one for each (kind, message, room), however many people it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harness.judge.messages import NEVER, Message
from harness.model.verdict import Violation

NAMED = 4
"""So many people are named in a sentence; of more, the first two and a number."""


def people(names: Sequence[str]) -> str:
    """Return the names as one says them: `bob`, `bob and chad`, `bob, chad and 98 others`."""
    if len(names) == 1:
        return names[0]
    if len(names) <= NAMED:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{names[0]}, {names[1]} and {len(names) - 2} others"


def quoted(names: Sequence[str]) -> str:
    """Return message ids as one writes them in a sentence."""
    return people([f"`{name}`" for name in names])


MOST_PROOF = 5
"""A proof has at most so many operations."""


def proof(*indices: int) -> tuple[int, ...]:
    """Return the op indices that exist, in the order of the history, each once; the first five that are given."""
    known = dict.fromkeys(index for index in indices if 0 <= index < NEVER)
    return tuple(sorted(list(known)[:MOST_PROOF]))


def proof_of_attempts(messages: Iterable[Message]) -> tuple[int, ...]:
    """Return the indices of the first sends of messages; a phantom has none."""
    return tuple(sorted({message.first_invoke for message in messages if message.tries}))


def _world(messages: Iterable[Message]) -> str:
    """Return in which world it holds what is said of messages, when the sends of some of them are open."""
    unsure = [message for message in messages if message.open]
    if not unsure:
        return ""
    sends = " and ".join(f"{message.sender}'s send of `{message.name}`" for message in unsure)
    seen = [message for message in unsure if message.seen_at != NEVER]
    shown = (
        f", and {seen[0].seen_by} seeing it shows that it did" if seen == unsure and len(seen) == 1 else ""
    )
    return f"only if {sends} happened{shown}"


@dataclass(slots=True)
class _Finding:
    sentence: str
    ops: tuple[int, ...]
    messages: tuple[Message, ...]
    pointers: tuple[str, ...]
    hint: str
    world: str
    beside: tuple[Message, ...]
    people: list[str] = field(default_factory=list)


class Findings:
    """The violations of one check, as they are found."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], _Finding] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(
        self,
        kind: str,
        sentence: str,
        ops: tuple[int, ...],
        messages: tuple[Message, ...] = (),
        *,
        beside: Iterable[Message | None] = (),
        who: str | None = None,
        pointers: Iterable[str | None] = (),
        hint: str = "",
        world: str = "",
    ) -> None:
        """Add one.

        Args:
            kind: from the table of families.
            sentence: `{who}` in it stands for everybody whom the same befell.
            ops: indices that alone prove it, for the first one it befell.
            messages: the messages concerned; the same kind with the same messages is one violation.
            beside: other messages that the operations speak of.
            who: the client concerned.
            pointers: YAML places; those of the messages' send steps are added.
            hint: what it probably means.
            world: in which world it is a violation, when evidence is open.
        """
        key = (kind, *messages) if messages else (kind, sentence, ops)
        found = self._found.get(key)
        if found is None:
            places = [*pointers, *(message.pointer for message in messages)]
            unique = tuple(dict.fromkeys(place for place in places if place is not None))
            found = self._found[key] = _Finding(
                sentence, ops, messages, unique, hint, world, tuple(filter(None, beside))
            )
        if who is not None and who not in found.people[-1:] and who not in found.people:
            found.people.append(who)

    def violations(self) -> tuple[Violation, ...]:
        """Return them all, in the order in which they were found."""
        return tuple(
            Violation(
                kind=str(key[0]),
                sentence=found.sentence.replace(
                    "{who}", people(found.people) if found.people else "somebody"
                ),
                ops=found.ops,
                attempts=proof_of_attempts((*found.messages, *found.beside)),
                pointers=found.pointers,
                clients=tuple(found.people),
                messages=tuple(message.name for message in found.messages),
                hint=found.hint,
                world=found.world or _world(found.messages),
            )
            for key, found in self._found.items()
        )
