"""What a driver tells unasked, put on record under the names of the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.model.history import Op
from harness.run.driver import Reply
from harness.run.names import Names
from harness.run.recorder import Recorder

#: Ends an operation by what the driver answered.
Complete = Callable[[Op, Reply], object]


class Ear:
    """Hears one client over its incarnations.

    Deliveries and claims carry `via`, the operation that brought them: the poll, or else the connect.

    Args:
        names: ids to names and back.
        recorder: told everything.
        identify: finds the plan's message id by (room, sender, client message id).
        complete: ends an operation that an event answers.
    """

    def __init__(
        self,
        names: Names,
        recorder: Recorder,
        identify: Callable[[str, str, str], str | None],
        complete: Complete,
    ) -> None:
        self.connected_by: int | None = None
        """The operation of the latest connect."""
        self.asked: dict[int, Op] = {}
        """Polls that the script asked for, by the number of their request."""
        self._names = names
        self._recorder = recorder
        self._identify = identify
        self._complete = complete
        self._polls: dict[int, Op] = {}
        self._acks: dict[int, Op] = {}

    def message(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return a message as the history has it."""
        room = self._names.room(message["room"])
        sender = self._names.user(message["sender"])
        value = {
            "room": room,
            "client_message_id": message["message"],
            "id": self._identify(room, sender, message["message"]),
            "sender": sender,
            "text": message["text"],
        }
        if "sequence" in message:
            value["sequence"] = message["sequence"]
        return value

    def hear(self, process: str, event: Mapping[str, Any]) -> None:
        """Put one event of this process on record."""
        t = event.get("t")
        if t is not None and type(t) is not int:
            raise TypeError("`t` is a whole number of nanoseconds")
        poll = self._polls.get(event["poll"]) if "poll" in event else self.asked.get(event.get("request", 0))
        via = poll.op if poll is not None else self.connected_by
        match event["event"]:
            case "deliver":
                value = {**self.message(event["message"]), "via": via}
                self._recorder.note(process, "deliver", value, t=t)
            case "claim":
                claim = {key: event[key] for key in ("after", "through", "lost") if key in event}
                value = {"room": self._names.room(event["room"]), **claim, "via": via}
                self._recorder.note(process, "claim", value, t=t)
            case "ended":
                value = {"room": self._names.room(event["room"]), "through": event["through"]}
                self._recorder.note(process, "ended", value, t=t)
            case "poll":
                acks = self._names.by_room(event.get("acks"))
                value = {"acks": acks} if acks else {}
                self._polls[event["poll"]] = self._recorder.invoke(process, "poll", value)
            case "polled":
                self._settle(self._polls.pop(event["poll"]), event)
            case "ack":
                acks = self._names.by_room(event["acks"])
                self._acks[event["ack"]] = self._recorder.invoke(process, "ack", {"acks": acks})
            case "acked":
                self._settle(self._acks.pop(event["ack"]), event)
            case "connection":
                value = {key: event[key] for key in ("state", "instance", "reason") if key in event}
                self._recorder.note(process, "connection", value, t=t)
            case other:
                raise ValueError(f"no event is called {other!r}")

    def gone(self, reply: Reply) -> None:
        """End by this reply whatever the process was doing by itself."""
        for doing in (*self._polls.values(), *self._acks.values()):
            self._complete(doing, reply)
        self._polls.clear()
        self._acks.clear()

    def _settle(self, invoked: Op, event: Mapping[str, Any]) -> None:
        self._complete(invoked, Reply(event.get("ok"), event.get("error") or {}, event.get("t")))
