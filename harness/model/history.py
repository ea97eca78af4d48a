"""What happened: the history of a run, one operation event a line, in the order in which it was recorded.

Words as Jepsen's: an operation is *invoked* and ends `ok`, `fail` (surely did not happen) or `info` (unknown).
`spawn`, `deliver`, `claim`, `connection`, `ended`, `read`, `exit`, `skip`, `fired`, `holds` and `leftovers` are `ok`
lines that nobody invoked.

| f | process | value |
|---|---|---|
| start | server | invoke: {command}; ok: {pid, host, port, instance} |
| spawn | client, harness | ok: {pid, incarnation, driver, capabilities: [...]}, with no invocation |
| exit | server, client, harness | ok: {pid, code, signal, asked}; exactly one of code, signal is not null |
| create | client, harness | {room, members, admins, readers?, history, entry}; ok adds {position?} |
| join, leave | client | {room}; ok adds {position?, sequence?} |
| add, kick | client | {room, user}; ok adds {position?, sequence?} |
| connect, disconnect | client | {}; a connect's ok has {instance?, position?, epoch?} |
| send | client | {room, id, client_message_id, sender, text}; ok adds {sequence?, position?, duplicate?} |
| deliver | client | {room, client_message_id, id, sender, text, sequence?, own?, via} |
| claim | client | {room, after, through, lost?, via}: all for this client in (after, through] was handed over |
| connection | client | {state: lost or restored, instance?, reason?}: the driver lost its server, or found it again |
| ended | client | {room, through}: the server says the membership is over |
| poll | client | {acks?: {room: sequence}, positions?}; step if scripted; ok adds {position?, caught_up?} |
| ack | client | {acks: {room: sequence}}; ok adds {cursors?: {room: sequence}} |
| fence | client | {grade, …}; ok adds {position?, caught_up?}. What the grade adds stands below |
| history | harness | audit read: {room, positions}; ok adds {count, lost?}: read whole, as far as retention left it |
| read | harness | one message seen by the audit read `op`: as deliver |
| expect | script | {ids, received_by, not_by}; ok when fulfilled while it was played, else fail |
| gone | script | {ids}; ok when the server keeps none of them, fail {reason} |
| rotate_keys | harness | {change: add or retire}; ok when the server believes the new keys |
| wait | script | {duration_ns}, or {fault}: whose end was awaited, or {when: what was, of, count, by} |
| parallel | script | {lanes: [...]}; ok when all lanes were played, fail {reason} when a step stopped them |
| listen | script | {duration_ns} |
| holds | harness | ok, of the server: {when: ready or end, gone, file, times, tolerated?}; see `model.leaks` |
| leftovers | harness | ok: {processes: [[pid, command]]}: what was still running after everybody was told to go |
| script | script | invoke at the first step; ok when all steps were played, fail {reason} when one stopped it |
| workload | script | {acts, faults, duration_ns}: its moments count from the invocation; ok when its time is over |
| skip | script | {client, verb, reason}, step: an act of the workload, or a fault, that began no operation |
| drain | script | {acts}: so many were under way when no more were begun; ok adds {left}: so many still are |
| final | script | invoke when the final phase begins; ok when it is through |
| kill | nemesis | {targets, id, signal, for_ns?}; ok when all have ended |
| start | nemesis | {targets, id?}; ok when all are ready: the server serves, clients are connected |
| restart | nemesis | {targets, id}; ok when all have ended as they do in ordinary life, and are ready again |
| pause | nemesis | {targets, id, for_ns?}; ok when all stand still |
| resume | nemesis | {targets, id?}; ok when all run again |
| cut | nemesis | {targets, id, direction, for_ns?}; ok adds {connections}: bytes are held |
| slow | nemesis | {targets, id, direction, latency_ns, jitter_ns, rate?, for_ns?}; ok adds {connections} |
| refuse | nemesis | {targets, id, for_ns?}; ok adds {connections}: those that go on |
| half_open | nemesis | {targets, id, for_ns?}; ok adds {connections}: whose server's end is gone |
| reset | nemesis | {targets, id}; ok adds {connections}: those that were reset |
| disk_full | nemesis | {targets, id, for_ns?}; ok adds {processes}: so many cannot write to files |
| read_only | nemesis | {targets, id, for_ns?}; ok adds {files}: so many are read-only |
| lose, delay, duplicate | nemesis | {targets, id, part, of?, nth, delay_ns?}; ok when it waits for its call |
| fired | nemesis | ok: {targets, id, by, of}: a fault has struck the call it waited for, and is over |
| goaway | nemesis | {targets, id}; ok when GOAWAY was sent |
| heal | nemesis | {targets, ids?}; ok when nothing is left of these faults on these targets; adds {connections?} |

A fault is active on each of its `targets` (clients, `server`) from its invocation until what ends it was
answered ok: `start` and `restart` end `kill`, `restart` and `pause`; `resume` ends `pause`; `restart`, `reset` and
`goaway` end themselves; `fired` ends the fault of its `id`; `heal` ends those of its `ids`, or else any. A failed one
stays active. Where the network or calls are meant, `server` stands for all clients. `connections` is
{client: [numbers]}: the connections that were there, counted from 1 as they came. What a fault does to a process is
on record beside it, as `exit` with `asked: true`, `start` of the server, `spawn` and `connect` of a client's next
incarnation.

A fence's grade is `position` {positions: [...]}, `marker` {markers: {room: client_message_id}} or `window`
{window_ns}.

`sender` is a user and `room` a room of the plan; a name the server gave that is in neither stays as it came.
`id` is the plan's message id, or null when nobody scripted such a message. `via` is the `op` of the connect or
poll that carried it. The process and user named `fence` sends markers and is no client of the plan. A position is
opaque: compare for equality only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

HISTORY_VERSION = 1

OpType = Literal["invoke", "ok", "fail", "info"]

#: Processes that are not clients.
SERVER, HARNESS, FENCE, SCRIPT, NEMESIS = "server", "harness", "fence", "script", "nemesis"

#: Acts of the nemesis that end faults and begin none.
HEALS = ("heal", "start", "resume")
#: Acts of the nemesis that are over when they are done.
ENDS_ITSELF = ("restart", "reset", "goaway")


@dataclass(slots=True)
class Op:
    """One line of a history. Never written to once made (not frozen: that would double the reading time)."""

    index: int
    """Counts from 0 without holes; the order of the history."""
    time: int
    """ns since the run began, the recorder's monotonic clock."""
    process: str
    """Who: a client (`bob`, `bob#2` for a later incarnation), `server`, `harness`, `script`, `nemesis`."""
    type: OpType
    f: str
    value: Mapping[str, Any]
    op: int | None = None
    """Pairs an invocation with its completion; for `read`, the audit it belongs to."""
    step: str | None = None
    """Pointer of the YAML step that caused it."""
    t: int | None = None
    """ns, the driver's own monotonic clock, comparable host-wide; latencies use it."""
    error: Mapping[str, Any] | None = None
    """{code, reason, message} when it did not end ok."""

    @property
    def client(self) -> str:
        """The process without its incarnation: `bob` for `bob#2`."""
        return self.process.partition("#")[0]

    def to_line(self) -> str:
        """Return the JSON line, without a newline."""
        data: dict[str, Any] = {
            "index": self.index,
            "time": self.time,
            "process": self.process,
            "type": self.type,
            "f": self.f,
            "value": self.value,
        }
        for key in ("op", "step", "t", "error"):
            if (value := getattr(self, key)) is not None:
                data[key] = value
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Op:
        """Read one line; raises ValueError, KeyError or TypeError when it is not an operation."""
        data = json.loads(line)
        return cls(
            data["index"],
            data["time"],
            data["process"],
            data["type"],
            data["f"],
            data.get("value") or {},
            data.get("op"),
            data.get("step"),
            data.get("t"),
            data.get("error"),
        )


class HistoryError(ValueError):
    """A history that cannot be read; the text says the line and the reason."""


def header(run: str) -> str:
    """Return the first line of a history file."""
    return json.dumps({"format": "chatsim.history", "version": HISTORY_VERSION, "run": run})


def read_history(lines: Iterable[str]) -> Iterator[Op]:
    """Yield the operations of a history file, one at a time, checking its header.

    Raises:
        HistoryError: not a history, another version, or a line that is not an operation. A last line
            without a newline is what a killed recorder leaves, and is passed over.
    """
    rows = iter(lines)
    first = next(rows, "")
    try:
        head = json.loads(first)
        known = head["format"] == "chatsim.history"
        version = head["version"]
    except (ValueError, KeyError, TypeError):
        known, version = False, None
    if not known:
        msg = 'line 1: a history begins with {"format": "chatsim.history", "version": 1, ...}'
        raise HistoryError(msg)
    if version != HISTORY_VERSION:
        msg = (
            f"line 1: this is history format {version!r}; this chatsim reads format {HISTORY_VERSION}. "
            "Read it with the chatsim that wrote it"
        )
        raise HistoryError(msg)
    for number, line in enumerate(rows, start=2):
        try:
            yield Op.from_line(line)
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            if not line.endswith("\n"):
                return
            msg = f"line {number}: not an operation ({type(fault).__name__}: {fault})"
            raise HistoryError(msg) from fault
