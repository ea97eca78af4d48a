"""A short notation for histories, one action a line, so that a case fits on a screen.

    alice connect                        invoke and ok; `-> fail CODE`, `-> info` and `-> open` end it otherwise
    alice send hello lobby -> ok 2 p2    invoke and completion; sequence and position are optional
    alice send hello lobby from al -> ok a client whose user has another name
    alice send hello lobby -> open       only the invocation ...
    alice sent hello -> ok 2 p2          ... and later its completion
    bob got hello 2                      a delivery; `in ROOM`, `from USER`, `text T` when not as it was sent
    bob claims 0..2                      a claim; `in ROOM`, `lost N`
    bob fence p2 p3                      by position; `fence marker m1`, `fence window`; `-> info`, `-> behind`
    bob polls / bob polled p2            a poll begins, a poll is answered; `acks 2` on the first; `-> info`
    bob acks 2 -> ok 2                   an acknowledgement; the number after ok is the cursor reported
    alice creates den bob -> ok p3       a room and its other members
    bob joins red -> ok 3                likewise leaves; `alice kicks bob red -> ok 4`, `alice adds bob red -> ok 4`
    alice creates red bob -> ok          a room with these members and its creator
    bob reconnects                       the driver lost and found its server
    bob restarts                         the process is killed as asked; from here on `bob` is the next incarnation
    bob exits 1                          unasked, with this code; `server exits 1`
    bob connect epoch e1                 the driver was told the epoch of the log
    final / final -> ok                  the final phase
    server restarts                      killed as asked, and started
    nemesis kill server                  invoke and ok; any word of the nemesis
    audit lobby p2: hello@2 hi@3         the room was read whole; `-> info` instead of messages; `p2 lost 1:` when
                                         retention has removed it through 1
    expect 0 / expected 0 -> fail        the step of this number of the case's `steps`
    script / script -> ok / script -> fail REASON
    +500ms                               time passes (each line takes 1 ms by itself)

`@0` behind an action says that step 0 caused it. The room is `lobby` unless said otherwise.
"""

from __future__ import annotations

from typing import Any

from harness.model.history import Op

MS = 1_000_000
PEOPLE = ("alice", "bob", "chad")


class History:
    """Writes operations from lines of the notation."""

    def __init__(self, capabilities: list[str] | None = None, clients: tuple[str, ...] = PEOPLE) -> None:
        self.ops: list[Op] = []
        self._time = 0
        self._count = 0
        self._invoked: dict[int, Op] = {}
        self._lives: dict[str, int] = {}
        self._carrier: dict[str, int] = {}
        self._polls: dict[str, tuple[int, dict[str, Any]]] = {}
        self._sends: dict[str, tuple[str, int, dict[str, Any]]] = {}
        if capabilities is not None:
            for client in (*clients, "harness"):
                self.note(client, "spawn", {"pid": 1, "incarnation": 1, "capabilities": capabilities})

    # -- operations --------------------------------------------------------------------------------------

    def note(
        self, process: str, f: str, value: dict[str, Any], op: int | None = None, type_: Any = "ok"
    ) -> Op:
        self._time += MS
        made = Op(len(self.ops), self._time, process, type_, f, value, op)
        self.ops.append(made)
        return made

    def begin(self, process: str, f: str, value: dict[str, Any], step: str | None = None) -> int:
        self._count += 1
        made = self._invoked[self._count] = self.note(process, f, value, self._count, "invoke")
        made.step = step
        return self._count

    def end(self, op: int, type_: str = "ok", more: dict[str, Any] | None = None, code: str = "") -> None:
        invoked = self._invoked[op]
        made = self.note(invoked.process, invoked.f, {**invoked.value, **(more or {})}, op, type_)
        made.step = invoked.step
        if type_ != "ok":
            made.error = {"code": code or "UNAVAILABLE", "reason": "", "message": ""}

    def both(self, process: str, f: str, value: dict[str, Any], result: list[str], step: str | None) -> int:
        op = self.begin(process, f, value, step)
        if result[:1] != ["open"]:
            self.complete(op, f, result)
        return op

    def complete(self, op: int, f: str, result: list[str]) -> None:
        type_, rest = (result[0], result[1:]) if result else ("ok", [])
        more: dict[str, Any] = {}
        code = ""
        if type_ != "ok":
            code = rest[0] if rest else ""
        else:
            for word in rest:
                if word.isdigit():
                    more["sequence"] = int(word)
                elif word == "duplicate":
                    more["duplicate"] = True
                else:
                    more["position"] = word
        if f == "ack" and "sequence" in more:
            value = self._invoked[op].value
            more = {"cursors": dict.fromkeys(value["acks"], more["sequence"])}
        self.end(op, type_, more, code)

    def sender(self, name: str) -> str:
        return str(self._sends[name][2]["sender"])

    def process(self, name: str) -> str:
        life = self._lives.get(name, 1)
        return name if life == 1 else f"{name}#{life}"

    # -- lines -------------------------------------------------------------------------------------------

    def play(self, text: str) -> History:
        for raw in text.splitlines():
            line = raw.split(" #")[0].strip()
            if line:
                self.line(line)
        return self

    def line(self, line: str) -> None:
        if line.startswith("+"):
            self._time += int(line[1:].removesuffix("ms")) * MS
            return
        head, _, tail = line.partition("->")
        words, result = head.split(), tail.split()
        step = None
        if words[-1].startswith("@"):
            step = f"/steps/{words.pop()[1:]}"
        if words[0] in ("audit", "expect", "expected", "final", "script", "server", "nemesis"):
            getattr(self, f"_{words[0]}")(words[1:], result)
            return
        who, verb, rest = self.process(words[0]), words[1], words[2:]
        getattr(self, f"_do_{verb}")(who, rest, result, step)

    def _do_connect(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        value = {"epoch": rest[1]} if rest[:1] == ["epoch"] else {}
        self._carrier[who] = self.both(who, "connect", value, result, step)

    def _do_disconnect(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        self.both(who, "disconnect", {}, result, step)

    def _do_send(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        text = f"text of {rest[0]}"
        if "text" in rest:
            at = rest.index("text")
            text, rest = rest[at + 1], rest[:at]
        sender = "fence" if who in ("harness", "fence") else who.partition("#")[0]
        if "from" in rest:
            at = rest.index("from")
            sender, rest = rest[at + 1], rest[:at]
        name, room = rest[0], rest[1] if len(rest) > 1 else "lobby"
        value = {
            "room": room,
            "id": None if sender == "fence" else name,
            "client_message_id": name,
            "sender": sender,
            "text": text,
        }
        op = self.both(who, "send", value, result, step)
        self._sends[name] = (who, op, value)

    def _do_sent(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        self.complete(self._sends[rest[0]][1], "send", result)

    def _message(self, words: list[str]) -> dict[str, Any]:
        name = words[0]
        known = self._sends.get(name)
        value: dict[str, Any]
        value = (
            dict(known[2]) if known is not None else {"room": "lobby", "id": None, "client_message_id": name}
        )
        rest = words[1:]
        while rest:
            word = rest.pop(0)
            if word == "in":
                value["room"] = rest.pop(0)
            elif word == "from":
                value["sender"] = rest.pop(0)
            elif word == "text":
                value["text"] = rest.pop(0)
            else:
                value["sequence"] = int(word)
        return value

    def _via(self, who: str) -> int | None:
        polled = self._polls.get(who)
        return polled[0] if polled is not None else self._carrier.get(who)

    def _do_got(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        value = self._message(rest)
        value["via"] = self._via(who)
        self.note(who, "deliver", value)

    def _do_claims(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        after, _, through = rest[0].partition("..")
        value: dict[str, Any] = {"room": "lobby", "after": int(after), "through": int(through)}
        if "in" in rest:
            value["room"] = rest[rest.index("in") + 1]
        if "lost" in rest:
            value["lost"] = int(rest[rest.index("lost") + 1])
        value["via"] = self._via(who)
        self.note(who, "claim", value)

    def _do_fence(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        if rest[:1] == ["marker"]:
            value: dict[str, Any] = {
                "grade": "marker",
                "markers": {self._sends[name][2]["room"]: name for name in rest[1:]},
            }
        elif rest[:1] == ["window"]:
            value = {"grade": "window", "window_ns": 500 * MS}
        else:
            value = {"grade": "position", "positions": rest}
        op = self.begin(who, "fence", value, step)
        if result == ["behind"]:
            self.end(op, "ok", {"caught_up": False})
        else:
            self.complete(op, "fence", result)

    def _do_polls(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        value = {"acks": {"lobby": int(rest[1])}} if rest[:1] == ["acks"] else {}
        self._polls[who] = (self.begin(who, "poll", value, step), value)

    def _do_polled(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        op, _ = self._polls.pop(who)
        if result:
            self.complete(op, "poll", result)
        else:
            self.end(op, "ok", {"position": rest[0], "caught_up": True} if rest else {})

    def _do_acks(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        self.both(who, "ack", {"acks": {rest[1] if len(rest) > 1 else "lobby": int(rest[0])}}, result, step)

    def _do_creates(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        value = {"room": rest[0], "members": rest[1:], "history": "since_join"}
        self.both(who, "create", value, result, step)

    def _do_joins(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        self.both(who, "join", {"room": rest[0]}, result, step)

    def _do_leaves(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        self.both(who, "leave", {"room": rest[0]}, result, step)

    def _do_kicks(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        self.both(who, "kick", {"user": rest[0], "room": rest[1]}, result, step)

    def _do_adds(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        self.both(who, "add", {"user": rest[0], "room": rest[1]}, result, step)

    def _do_reconnects(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        self.note(who, "connection", {"state": "lost"})
        self.note(who, "connection", {"state": "restored"})

    def _do_restarts(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        name = who.partition("#")[0]
        self.note(who, "exit", {"pid": 1, "code": None, "signal": 9, "asked": True})
        self._lives[name] = self._lives.get(name, 1) + 1
        self.note(self.process(name), "spawn", {"pid": 2, "incarnation": self._lives[name]})
        self._do_connect(self.process(name), [], ["ok"], step)

    def _do_exits(self, who: str, rest: list[str], result: list[str], step: str | None) -> None:
        self.note(
            who, "exit", {"pid": 1, "code": int(rest[0]), "signal": None, "asked": rest[1:] == ["asked"]}
        )

    def _server(self, words: list[str], result: list[str]) -> None:
        if words[0] == "exits":
            self._do_exits("server", words[1:], result, None)
        else:
            self.note("server", "exit", {"pid": 1, "code": None, "signal": 9, "asked": True})
            self.both("server", "start", {"command": "serve"}, ["ok"], None)

    def _nemesis(self, words: list[str], result: list[str]) -> None:
        self.both("nemesis", words[0], {"targets": words[1:]}, result, None)

    def _audit(self, words: list[str], result: list[str]) -> None:
        before, seen = words, []
        for at, word in enumerate(words):
            if word.endswith(":"):
                before, seen = [*words[:at], word[:-1]], words[at + 1 :]
                break
        lost = {}
        if "lost" in before:
            at = before.index("lost")
            lost = {"lost": int(before[at + 1])}
            before = before[:at]
        op = self.begin("harness", "history", {"room": before[0], "positions": before[1:]})
        for word in seen:
            name, _, sequence = word.partition("@")
            value = self._message([name, *([sequence] if sequence else [])])
            self.note("harness", "read", value, op)
        self.end(op, result[0] if result else "ok", {"count": len(seen), **lost})

    def _expect(self, words: list[str], result: list[str]) -> None:
        self._polls[f"expect {words[0]}"] = (self.begin("script", "expect", {}, f"/steps/{words[0]}"), {})

    def _expected(self, words: list[str], result: list[str]) -> None:
        op, _ = self._polls.pop(f"expect {words[0]}")
        self.end(op, result[0] if result else "ok")

    def _final(self, words: list[str], result: list[str]) -> None:
        if not result:
            self._final_op = self.begin("script", "final", {})
        else:
            self.end(self._final_op, result[0])

    def _script(self, words: list[str], result: list[str]) -> None:
        if not result:
            self._script_op = self.begin("script", "script", {})
        else:
            self.end(
                self._script_op, result[0], {"reason": " ".join(result[1:])} if result[0] == "fail" else {}
            )


def history_of(case: dict[str, Any]) -> list[Op]:
    """Return the operations of a case."""
    clients = tuple(case.get("clients", [*PEOPLE, "doug"]))
    history = History(case.get("capabilities"), clients)
    for client, words in case.get("said", {}).items():
        history.note(client, "spawn", {"pid": 1, "incarnation": 1, "capabilities": words})
    return history.play(case["history"]).ops
