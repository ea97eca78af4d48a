"""The mutant generator itself: its truth agrees with what the loader warns of."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.source import compile_plan
from tests.source.mutants import falsehoods, mutants, received

ROOT = Path(__file__).parent.parent.parent
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
FIVE = ("basic", "everyone_online", "latecomers", "outsider", "same_name")


@pytest.mark.parametrize("name", FIVE)
def test_every_kind_of_mutant_is_there(name):
    found = list(mutants((ROOT / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")))
    assert {mutant.outcome for mutant in found} == {"holds", "fails", "invalid"}
    assert len({mutant.text for mutant in found}) == len(found) >= 40
    for mutant in found:
        assert (mutant.outcome == "fails") == bool(mutant.person and mutant.message)


@pytest.mark.parametrize("name", FIVE)
def test_never_true_is_said_of_false_statements_only(name):
    for mutant in mutants((ROOT / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")):
        _, diagnostics = compile_plan(mutant.text, "mutant.yaml", "mutant")
        if any(item.code == "never-true" for item in diagnostics) and mutant.outcome != "invalid":
            assert mutant.outcome == "fails", mutant.description


def test_what_chosen_mutants_must_end_with():
    found = {
        mutant.description: (mutant.outcome, mutant.wrong)
        for mutant in mutants((ROOT / "scenarios" / "basic.yaml").read_text(encoding="utf-8"))
    }
    ends = {description.partition("): ")[2] or description: end for description, end in found.items()}
    assert ends["received_by: bob dropped"] == ("holds", ())
    assert ends["received_by: doug added at 3"][0] in ("fails", "invalid")
    assert ends["alice and bob exchanged"] == ("fails", (("bob", ("hi",)), ("alice", ("hi",))))
    assert ends["chad moved to not_by"] == ("fails", (("chad", ("hi",)),))
    assert ends["doug moved to received_by"] == ("fails", (("doug", ("hi",)),))
    assert found["inbox of doug: hello added at 1"] == ("fails", (("doug", ("hello",)),))
    assert found["inbox of chad: hello dropped"] == ("fails", (("chad", ("hello",)),))
    assert found["inbox of chad: hello and hi in each other's place"] == (
        "fails",
        (("chad", ("hi", "hello")),),
    )
    assert found["inboxes of alice and bob: swapped"] == (
        "fails",
        (("alice", ("hello",)), ("alice", ("hi",)), ("bob", ("hi",)), ("bob", ("hello",))),
    )
    assert found["inbox of alice: dropped"] == ("holds", ())


def test_the_truth_of_basic():
    text = (ROOT / "scenarios" / "basic.yaml").read_text(encoding="utf-8")
    plan, _ = compile_plan(text, "basic.yaml", "basic")
    assert plan is not None
    assert received(plan) == {"alice": ["hi"], "bob": ["hello"], "chad": ["hello", "hi"], "doug": []}
    assert falsehoods(plan) == ()
