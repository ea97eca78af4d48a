"""Histories of others: every fault of form is told with its line, and what is of the form is judged."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge import judge
from harness.judge.assumptions import KNOWN
from harness.model.foreign import CLIENT_KEYS, FIELDS, KEYS, NEEDS, survey
from harness.model.history import Op, read_history
from harness.model.verdict import Judgement, RunStatus

PAGE = (Path(__file__).parents[2] / "docs" / "history.md").read_text()
EXAMPLE = re.findall(r"^```jsonl\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)[0].splitlines(
    keepends=True
)


def judged(lines: list[str]) -> Judgement:
    found = survey(lines)
    assert not found.faults, found.faults
    return judge(found.plan("example", "example.jsonl"), list(read_history(lines)))


def told(lines: list[str]) -> list[str]:
    return [str(fault) for fault in survey(lines).faults]


def changed(number: int, **keys: Any) -> list[str]:
    """The example with other keys in one line, counted from 1; None takes a key out."""
    data = {**json.loads(EXAMPLE[number - 1]), **keys}
    line = json.dumps({key: value for key, value in data.items() if value is not None})
    return [*EXAMPLE[: number - 1], f"{line}\n", *EXAMPLE[number:]]


def counted(lines: list[str]) -> list[str]:
    """The lines with indices that count without holes."""
    events = [json.loads(line) for line in lines[1:]]
    return [lines[0], *(json.dumps({**event, "index": at}) + "\n" for at, event in enumerate(events))]


def test_the_example_of_the_page_passes() -> None:
    judgement = judged(EXAMPLE)
    assert judgement.status is RunStatus.PASS, judgement.reason


def test_without_a_delivery_it_fails_as_the_page_says() -> None:
    judgement = judged(counted([*EXAMPLE[:10], *EXAMPLE[11:]]))
    assert judgement.kinds in ({"lost", "false-claim"}, {"lost"})
    assert judgement.status is RunStatus.FAIL


def test_the_page_names_all_there_is() -> None:
    for word in {*KEYS, *KNOWN, *FIELDS, *NEEDS, *CLIENT_KEYS}:
        assert f"`{word}`" in PAGE or f'"{word}"' in PAGE, f"docs/history.md says nothing of {word}"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "line 1: the file is empty"),
        (['{"format": "other"}\n'], 'line 1: a history begins with {"format": "chatsim.history"'),
        (changed(1, version=2), "line 1: this is history format 2; this chatsim reads format 1"),
        (changed(1, version=True), "line 1: this is history format True"),
        (changed(1, clients=["bob"]), '`clients` is a map of names, not ["bob"]'),
        (changed(1, clients={"bob": {"usr": "b"}}), "client 'bob' has the unknown key 'usr'"),
        (changed(1, clients={"bob": {"user": 1}}), "`user` of client 'bob' is text, not 1"),
        ([*EXAMPLE[:3], "[1, 2]\n"], "line 4: a line is a JSON object, not [1, 2]"),
        ([*EXAMPLE[:3], "{\n"], "line 4: not JSON"),
        ([*EXAMPLE[:3], "[" * 100_000 + "\n"], "line 4: not JSON"),
        ([*EXAMPLE[:-1], EXAMPLE[-1].rstrip()], "line 13: the file ends within this line"),
        ([*EXAMPLE[:-1], EXAMPLE[-1][:40]], "line 13: the file ends within this line"),
        (changed(3, index="one"), '`index` is integer, not "one"'),
        (changed(3, index=True), "`index` is integer, not true"),
        (changed(3, process=None), "`process` is missing"),
        (changed(3, indx=3), "unknown key 'indx'"),
        (changed(3, type="maybe"), "`type` is one of invoke, ok, fail, info, not 'maybe'"),
        (changed(6, value={"room": "lobby", "client_message_id": "m1"}), "`send` needs `sender`"),
        (changed(7, value={"room": 7, "client_message_id": "m1"}), "`room` in `value` is text, not 7"),
        (changed(7, value={"room": "lobby", "client_message_id": "m", "sequence": 1.5}), "integer, not 1.5"),
        (changed(12, value={"grade": "position", "positions": "b"}), "`positions` in `value` is texts"),
    ],
)
def test_each_fault_is_told_with_its_line(lines: list[str], sentence: str) -> None:
    assert any(sentence in fault for fault in told(lines)), told(lines)


def test_all_faults_are_told_at_once() -> None:
    lines = changed(3, index="one")
    lines[6] = '{"index": 5}\n'
    assert [fault.split(":")[0] for fault in told(lines)] == ["line 3", *["line 7"] * 4]


def test_of_very_many_faults_the_first_are_told() -> None:
    found = survey([EXAMPLE[0], *["{}\n"] * 1000])
    assert len(found.faults) == 50
    assert found.count == 5000


def test_reordered_lines_break_an_assumption_that_is_named() -> None:
    lines = [*EXAMPLE[:5], EXAMPLE[6], EXAMPLE[5], *EXAMPLE[7:]]
    judgement = judged(lines)
    assert judgement.status is RunStatus.UNKNOWN
    assert "indices count without holes" in judgement.reason


def test_an_end_before_its_beginning_is_named() -> None:
    lines = counted([*EXAMPLE[:3], EXAMPLE[4], EXAMPLE[3], *EXAMPLE[5:]])
    assert "ends without having been invoked" in judged(lines).reason


def test_sequences_of_any_size() -> None:
    far = [line.replace('"sequence": ', '"sequence": 461168601842738790') for line in EXAMPLE]
    assert judged(far).status is RunStatus.PASS


def test_a_cast_with_devices() -> None:
    lines = [line.replace('"process": "bob"', '"process": "phone"') for line in EXAMPLE]
    assert judged(lines).kinds == {"leak"}
    said = json.dumps({"format": "chatsim.history", "version": 1, "clients": {"phone": {"user": "bob"}}})
    assert judged([f"{said}\n", *lines[1:]]).status is RunStatus.PASS


def test_what_chatsim_writes_is_of_the_form() -> None:
    op = Op(
        0, 5, "bob", "ok", "deliver", {"room": "r", "client_message_id": "m", "id": None}, step="/steps/0"
    )
    assert told([EXAMPLE[0], op.to_line() + "\n"]) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
LINES = st.lists(
    st.one_of(
        st.text(alphabet=st.characters(exclude_characters="\n"), max_size=20),
        JSON.map(json.dumps),
        st.fixed_dictionaries(
            {"index": JSON, "time": JSON, "process": JSON, "type": JSON, "f": st.sampled_from(sorted(KNOWN))},
            optional={
                "value": st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON, max_size=4),
                "op": JSON,
            },
        ).map(json.dumps),
    ),
    max_size=8,
)


@settings(max_examples=200)
@given(LINES)
def test_no_file_breaks_it_and_what_has_no_fault_can_be_judged(made: list[str]) -> None:
    lines = [EXAMPLE[0], *(f"{line}\n" for line in made)]
    found = survey(lines)
    if found.count:
        assert all(1 <= fault.line <= len(lines) for fault in found.faults)
    else:
        judge(found.plan("any", "any"), list(read_history(lines)))


@settings(max_examples=200)
@given(st.data())
def test_one_changed_value_is_refused_or_judged(data: st.DataObject) -> None:
    number = data.draw(st.integers(2, len(EXAMPLE)))
    event = json.loads(EXAMPLE[number - 1])
    key = data.draw(st.sampled_from(sorted(event)))
    lines = changed(number, **{key: data.draw(JSON)})
    if not survey(lines).count:
        judged(lines)
