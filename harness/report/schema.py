"""The JSON Schemas of report.json and verdicts.json, for those who read them. Draft-07 words only.

What may come is listed; a reader should pass over what it does not know, for a later chatsim of the same version may
say more. That nothing is said today which does not stand here is for a test.
"""

from __future__ import annotations

from typing import Any, get_args

from harness.model.verdict import VERDICTS_VERSION, RunStatus, Status
from harness.report.fold import StepStatus
from harness.report.json_ import REPORT_VERSION
from harness.report.receipts import State

_Schema = dict[str, Any]


def report_schema() -> _Schema:
    """Return the schema of report.json."""
    whole = _object(
        format=_fixed("chatsim.report"),
        version=_fixed(REPORT_VERSION),
        status=_one_of(
            [status.value for status in RunStatus],
            "Of the row that ranks highest; null: nothing was selected.",
            null=True,
        ),
        command=_list(_text(), "As typed."),
        seed=_whole("What was drawn was drawn from this."),
        started_at=_text("UTC, ISO 8601; empty when unknown."),
        duration_ns=_whole("Of all of it."),
        totals=_object("How many rows ended so.", **{status.value: _whole() for status in RunStatus}),
        rows=_list(_ref("row"), "One a scenario row, in the order of the command."),
    )
    definitions = {
        "row": _row(),
        "verdict": _verdict(_ref("place", null=True), _ref("violation"), pointer="place"),
        "violation": _violation(),
        "place": _object(
            "A place in the scenario's file.",
            pointer=_text("JSON pointer into the YAML."),
            line=_whole("Counted from 1.", null=True),
            column=_whole("Counted from 1.", null=True),
        ),
        "message": _message(),
        "step": _step(),
        "process": _process(),
    }
    return _document("report", "What chatsim says of a run, version 1", whole, definitions)


def verdicts_schema() -> _Schema:
    """Return the schema of verdicts.json."""
    whole = _object(
        format=_fixed("chatsim.verdicts"),
        version=_fixed(VERDICTS_VERSION),
        status=_one_of([status.value for status in RunStatus], "How the row ended."),
        reason=_text("Why it is not a plain pass or fail; for a fail, its first sentence."),
        verdicts=_list(_ref("verdict"), "One a check."),
    )
    violation = _object(
        "One thing that went wrong, with what alone proves it.",
        kind=_text("The kind of an invariant's violation, or `missing`, `unwanted`, `inbox` and the like."),
        sentence=_text("One sentence that names the people and the messages."),
        ops=_list(_whole(), "Indices in history.jsonl of the operations that alone prove it."),
        attempts=_list(_whole(), "Indices of the first sends of the messages concerned."),
        pointers=_list(_text(), "JSON pointers into the YAML, the one to show first first."),
        clients=_list(_text(), "Clients concerned, the one who missed or saw it first."),
        messages=_list(_text(), "Messages concerned."),
        expected=_text(),
        actual=_text(),
        hint=_text("What it probably means: a guess."),
        world=_text("When evidence is open: the world in which it is violated; else empty."),
    )
    verdict = _verdict(_text("JSON pointer into the YAML, for expectations.", null=True), _ref("violation"))
    return _document(
        "verdicts", "What was concluded of one scenario row, version 1", whole,
        {"verdict": verdict, "violation": violation},
    )  # fmt: skip


def _row() -> _Schema:
    return _object(
        name=_text("`moderation[poll]`: the file's stem, with the row of its matrix if any."),
        title=_text(),
        file=_text("The scenario, as named on the command line."),
        directory=_text("Where its record is."),
        status=_one_of([status.value for status in RunStatus], "How it ended."),
        reason=_text("Why it is not a plain pass; else empty."),
        seed=_whole(),
        started_at=_text("UTC, ISO 8601; empty when unknown."),
        duration_ns=_whole(),
        scripted_waiting_ns=_whole("Scenario time that the script asked to wait."),
        messages=_whole("Messages that somebody tried to send, each once."),
        clients=_list(_text(), "Names, in the order of the cast."),
        checks=_whole("Checks that had something to judge."),
        checks_passed=_whole(),
        faults=_whole("Faults that were injected."),
        workload=_nullable(_workload()),
        limits=_nullable(_limits()),
        warnings=_list(_text(), "What was said of the scenario when it was read: `line 18: …`."),
        leaks=_list(_text(), "What was left behind."),
        error=_nullable(_error()),
        verdicts=_list(_ref("verdict")),
        who_got_what=_list(_ref("message"), "The messages that violations are about."),
        steps=_list(_ref("step")),
        processes=_list(_ref("process")),
        environment={
            "type": "object",
            "description": "env.json: versions, seed, command, platform and so on.",
        },
    )


def _workload() -> _Schema:
    return _object(
        "How punctual a workload was; null for a row without one.",
        planned=_whole("Acts that were to be."),
        in_time=_whole("Those that began within 100 ms of their moment."),
        late=_whole(),
        held_up=_whole("Those that a fault held up."),
        left_out=_whole(),
        latest_ns=_whole(),
        share={"type": "number", "description": "In time, those aside that were held up."},
    )


def _limits() -> _Schema:
    return _object(
        "How long deliveries took; null for a row without limits.",
        decide={"type": "boolean", "description": "Whether the row fails when a limit is exceeded."},
        deliveries=_whole("How many were timed."),
        figures_ns=_counts("How long they took, by the names of the limits."),
        longest_ns=_whole(),
        limits_ns=_counts("How long they may take."),
        beyond=_list(_text(), "Names of the limits that were exceeded."),
    )


def _error() -> _Schema:
    return _object(
        "Why the row could not be run; null when it could.",
        sentence=_text(),
        process=_text("Who is to blame; empty when nobody is."),
        command=_text(),
        exit=_text("How it ended."),
        last_lines=_list(_text()),
        help=_text("What to do about it."),
    )


def _verdict(place: _Schema, violation: _Schema, *, pointer: str = "pointer") -> _Schema:
    return _object(
        "The end of one check.",
        **{
            "name": _text(
                "An invariant family, or `expect hello`, `inbox of bob`, `processes` and the like."
            ),
            "group": _one_of(["invariant", "expectation", "run"]),
            "status": _one_of([status.value for status in Status]),
            pointer: place,
            "reason": _text("Why unknown, not exercised or not applicable; else empty."),
            "exercised": _whole("How many facts were judged."),
            "evidence": _counts(
                "How absence was shown: `by position`, `by marker`, `by window`, `not connected`."
            ),
            "occasions": _counts("Of an invariant: facts judged for each of its kinds."),
            "violations": _list(violation),
        },
    )


def _violation() -> _Schema:
    return _object(
        "One thing that went wrong.",
        kind=_text("The kind of an invariant's violation, or `missing`, `unwanted`, `inbox` and the like."),
        sentence=_text("One sentence that names the people and the messages."),
        clients=_list(_text(), "Clients concerned, the one who missed or saw it first."),
        messages=_list(_text(), "Messages concerned."),
        expected=_text(),
        actual=_text(),
        hint=_text("What it probably means: a guess."),
        only_if=_text("When evidence is open: the world in which it is violated; else empty."),
        places=_list(_ref("place"), "The one to show first first."),
        proof=_list(
            _object(
                "One of the operations that alone prove it.",
                index=_whole("In history.jsonl."),
                time_ns=_whole(null=True),
                process=_text(null=True),
                what=_text("The operation in words.", null=True),
            )
        ),
    )


def _message() -> _Schema:
    receipt = _object(
        "What one client saw of it.",
        client=_text(),
        state=_one_of(list(get_args(State))),
        first_ns=_whole("When it was first delivered.", null=True),
        times=_whole("How often it was."),
        connected={"type": "boolean", "description": "Whether this client was ever connected."},
        note=_text(
            "Why one who was a member at another time was none then; of what was got, what was other than sent."
        ),
    )
    return _object(
        id=_text(),
        room=_text(),
        sender=_text(),
        text=_text(),
        sent_ns=_whole(null=True),
        answered_ns=_whole(null=True),
        answer=_text("`ok`, the refusal, `no answer`, or empty when it was never sent."),
        sequence=_whole("Its place in the room, where the server tells.", null=True),
        receipts=_list(receipt, "In the order of the cast."),
    )


def _step() -> _Schema:
    return _object(
        pointer=_text("JSON pointer into the YAML."),
        line=_whole(),
        text=_text("The step in a few words."),
        status=_one_of(list(get_args(StepStatus))),
        start_ns=_whole(null=True),
        end_ns=_whole(null=True),
        reason=_text(),
    )


def _process() -> _Schema:
    return _object(
        name=_text("`server`, `harness`, a client; `bob#2` in its second life."),
        pid=_whole(null=True),
        code=_whole("Its exit code; null when a signal ended it, or nobody saw its end.", null=True),
        signal=_whole(null=True),
        asked={"type": ["boolean", "null"], "description": "Whether it ended because it was told to."},
        ended_ns=_whole(null=True),
        last_lines=_list(_text(), "Of its log, oldest first."),
    )


def _document(name: str, title: str, whole: _Schema, definitions: dict[str, _Schema]) -> _Schema:
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": f"{name}.v1.json", "title": title}
    told = {"description": "Times are ns since the run of the row began, unless said otherwise."}
    return {**head, **told, **whole, "definitions": definitions}


def _object(description: str = "", /, **keys: _Schema) -> _Schema:
    told = {"description": description} if description else {}
    return {**told, "type": "object", "properties": keys, "required": list(keys)}


def _ref(name: str, *, null: bool = False) -> _Schema:
    found = {"$ref": f"#/definitions/{name}"}
    return _nullable(found) if null else found


def _nullable(schema: _Schema) -> _Schema:
    return {"anyOf": [{"type": "null"}, schema]}


def _fixed(value: object) -> _Schema:
    return {"const": value}


def _one_of(values: list[str], description: str = "", *, null: bool = False) -> _Schema:
    told = {"description": description} if description else {}
    return {**told, "enum": [*values, None] if null else values}


def _list(items: _Schema, description: str = "") -> _Schema:
    told = {"description": description} if description else {}
    return {**told, "type": "array", "items": items}


def _text(description: str = "", *, null: bool = False) -> _Schema:
    return _plain("string", description, null=null)


def _whole(description: str = "", *, null: bool = False) -> _Schema:
    return _plain("integer", description, null=null)


def _plain(kind: str, description: str, *, null: bool) -> _Schema:
    told = {"description": description} if description else {}
    return {**told, "type": [kind, "null"] if null else kind}


def _counts(description: str) -> _Schema:
    return {"description": description, "type": "object", "additionalProperties": {"type": "integer"}}
