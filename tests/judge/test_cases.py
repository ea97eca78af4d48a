"""Small histories with the verdicts they must get, as data: `cases/*.yaml`; the notation is in notation.py.

Keys of a case: `kinds` (exact invariant kinds), `others` (exact kinds of other violations), `status`, `families`
(status by family), `evidence`, `sentences` and `hints` (parts of sentences and hints that must occur), `worlds` (in
which world violations hold). What a case does not say is that nothing is violated; `loose` asks only for the kinds to
be among those found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.judge import judge
from harness.model.verdict import FAMILIES, Judgement, RunStatus
from tests.judge.notation import history_of
from tests.judge.plans import plan_of

CASES: list[dict[str, Any]] = [
    {**case, "file": path.stem}
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
]
SELF_EVIDENT = {"phantom", "ack-beyond-head"}
"""Kinds that one line may prove: what nobody sent, and an answer about nothing."""
KINDS = {kind for kinds in FAMILIES.values() for kind in kinds}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['file']}: {case['name']}")
def test_verdicts(case: dict[str, Any]) -> None:
    judgement = judge(plan_of(case), history_of(case))
    told = "\n".join(f"{item.kind}: {item.sentence}" for item in judgement.violations)
    kinds, others = set(case.get("kinds", [])), set(case.get("others", []))
    if case.get("loose"):
        assert kinds <= judgement.kinds, told
    else:
        assert judgement.kinds == kinds, told
    assert {item.kind for item in judgement.violations} - KINDS == others, told
    expected = case.get("status", "fail" if kinds or others else "pass")
    assert judgement.status == RunStatus(expected), f"{judgement.reason}\n{told}"
    if judgement.kinds:  # the run failed for the gravest of them, whatever the script says of it
        assert judgement.reason in {item.sentence for item in judgement.violations if item.kind in KINDS}
    by_name = {verdict.name: verdict for verdict in judgement.verdicts}
    for family, status in case.get("families", {}).items():
        assert by_name[family].status == status, by_name[family].reason
    for name, evidence in case.get("evidence", {}).items():
        assert {grade: count for grade, count in by_name[name].evidence.items() if count} == evidence
    for part in case.get("sentences", []):
        assert any(part in item.sentence for item in judgement.violations), told
    for part in case.get("hints", []):
        assert any(part in item.hint for item in judgement.violations), told
    for world in case.get("worlds", []):
        assert world in {item.world for item in judgement.violations}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['file']}: {case['name']}")
def test_every_violation_carries_its_proof(case: dict[str, Any]) -> None:
    history = history_of(case)
    for item in judge(plan_of(case), history).violations:
        assert 1 <= len(item.ops) <= (5 if item.kind != "two-orders" else 2 * len(item.messages))
        assert len(item.ops) > 1 or item.kind in SELF_EVIDENT or item.kind not in KINDS
        assert list(item.ops) == sorted(set(item.ops))
        assert all(0 <= index < len(history) for index in item.ops)
        assert "{" not in item.sentence
        assert "\n" not in item.sentence


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['file']}: {case['name']}")
def test_no_proof_is_doubted(case: dict[str, Any]) -> None:
    judgement = judge(plan_of(case), history_of(case))
    assert not [verdict.reason for verdict in judgement.verdicts if "internal doubt" in verdict.reason]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['file']}: {case['name']}")
def test_a_judgement_survives_json(case: dict[str, Any]) -> None:
    judgement = judge(plan_of(case), history_of(case))
    assert Judgement.from_json(judgement.to_json()).to_json() == judgement.to_json()


def test_every_kind_that_can_be_seen_has_a_case() -> None:
    shown = {kind for case in CASES for kind in case.get("kinds", [])}
    assert shown == KINDS


def test_case_names_are_unique() -> None:
    names = [(case["file"], case["name"]) for case in CASES]
    assert len(names) == len(set(names))
