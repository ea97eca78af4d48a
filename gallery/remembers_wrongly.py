"""Servers that come back with another log, or forget how far people had read."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from chatsys.server import hub, sending
from chatsys.server.reading import Consumer, Reading
from chatsys.store import Place, Reads
from chatsys.store.schema import FILE
from chatsys.v1.types_pb2 import Message
from gallery.broken import Broken


def _open(data: Path) -> sqlite3.Connection:
    return sqlite3.connect(data / FILE)


def _lose_the_newest(data: Path, ended_well: bool) -> None:
    if not ended_well:
        with closing(_open(data)) as log, log:
            log.execute(
                "DELETE FROM entry WHERE position ="
                " (SELECT max(position) FROM entry WHERE client_message_id IS NOT NULL)"
            )


def _forget_cursors(data: Path, ended_well: bool) -> None:  # noqa: ARG001  # however it ended
    with closing(_open(data)) as log, log:
        log.execute("DELETE FROM cursor")


def _change_epoch(data: Path, ended_well: bool) -> None:  # noqa: ARG001  # as all of its kind
    with closing(_open(data)) as log, log:
        log.execute("UPDATE meta SET value = 'feedfacefeedface' WHERE key = 'epoch'")


def _wipe(data: Path, ended_well: bool) -> None:  # noqa: ARG001  # as all of its kind
    for path in data.glob(f"{FILE}*"):
        path.unlink()


def _swap_last_two(data: Path, *, of_one: bool) -> None:
    """Exchange the last two messages if they are, or are not, of one sender."""
    with closing(_open(data)) as log, log:
        found = log.execute(
            "SELECT position, sequence, actor_id, client_message_id, body FROM entry"
            " WHERE client_message_id IS NOT NULL ORDER BY position DESC LIMIT 2"
        ).fetchall()
        if len(found) < 2 or (found[0][2] == found[1][2]) is not of_one:
            return
        log.execute(
            "UPDATE entry SET client_message_id = NULL WHERE position IN (?, ?)", (found[0][0], found[1][0])
        )
        for here, there in (found, found[::-1]):
            body = Message.FromString(there[4])
            body.sequence = here[1]
            log.execute(
                "UPDATE entry SET actor_id = ?, client_message_id = ?, body = ?, crc = NULL WHERE position = ?",
                (there[2], there[3], body.SerializeToString(), here[0]),
            )


def _answer_without_sequence() -> None:
    respond = sending._respond

    def without(answer: Any, *given: Any) -> None:
        respond(answer, *given)
        answer.message.sequence = 0

    setattr(sending, "_respond", without)  # noqa: B010  # mypy has a word about the other way


def _never_end() -> None:
    def drain(_hub: hub.Hub, _seconds: float) -> None:
        while True:
            signal.pause()

    setattr(hub.Hub, "drain", drain)  # noqa: B010  # mypy has a word about the other way


class IgnoringCursors(Reading):
    """Begins every reading at the beginning."""

    def places(self, reads: Reads, consumer: Consumer) -> list[Place]:
        """Return the consumer's places, as if nothing had been acknowledged."""
        return [place._replace(acked=0) for place in super().places(reads, consumer)]

    def place(self, reads: Reads, consumer: Consumer, room_id: str) -> Place | None:
        """Return one of them."""
        place = super().place(reads, consumer, room_id)
        return place._replace(acked=0) if place is not None else None


ACKS_BEFORE_COMMIT = Broken(
    name="acks-before-commit",
    does="acknowledges what is not on its disk: a kill takes the newest message with it",
    before=_lose_the_newest,
    kinds=frozenset({"lost"}),
    scenarios=("own/killed_server",),
)
FORGETS_CURSORS = Broken(
    name="forgets-cursors",
    does="has forgotten who had read what when it comes back",
    before=_forget_cursors,
    kinds=frozenset({"redelivered-after-ack"}),
    scenarios=("unacked_survives",),
)
REDELIVERS_AFTER_ACK = Broken(
    name="redelivers-after-ack",
    does="begins at the beginning for whoever comes again",
    reading=IgnoringCursors,
    kinds=frozenset({"redelivered-after-ack"}),
    scenarios=("own/killed_reader",),
)
CHANGES_EPOCH = Broken(
    name="changes-epoch",
    does="calls its log another one when it comes back",
    before=_change_epoch,
    kinds=frozenset({"epoch-change"}),
    scenarios=("own/all_killed",),
)
WIPES = Broken(
    name="wipes",
    does="comes back with an empty log",
    before=_wipe,
    kinds=frozenset({"epoch-change"}),
    scenarios=("own/all_killed",),
)
ORDERS_ANEW = Broken(
    name="orders-anew",
    does="exchanges one's last two messages when it comes back",
    before=lambda data, _: _swap_last_two(data, of_one=True),
    tamper=_answer_without_sequence,
    kinds=frozenset({"sender-order"}),
    scenarios=("own/two_of_one",),
)
ORDERS_OTHERS_ANEW = Broken(
    name="orders-others-anew",
    does="exchanges the last two messages, of different people, when it comes back",
    before=lambda data, _: _swap_last_two(data, of_one=False),
    tamper=_answer_without_sequence,
    kinds=frozenset({"real-time-order"}),
    scenarios=("own/one_of_two",),
)
HANGS_ON_DRAIN = Broken(
    name="hangs-on-drain",
    does="does not end when it is told to",
    tamper=_never_end,
    kinds=frozenset(),
    others=frozenset({"script"}),
    scenarios=("own/restarted",),
)
