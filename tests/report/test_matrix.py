"""The matrix of the selftest says what differs, and nothing else."""

from __future__ import annotations

from harness.model.verdict import Judgement, RunStatus, Status, Verdict, Violation
from harness.report.look import Look
from harness.report.matrix import Exhibit, Trial, matrix, tried

ECHOES = Exhibit("echoes", "echoes", frozenset({"echo"}), frozenset(), ("basic.yaml",), drives=False)
HANGS = Exhibit("hangs", "hangs", frozenset(), frozenset({"script"}), ("basic.yaml",), drives=False)


def judgement(*kinds: str, status: RunStatus = RunStatus.FAIL, reason: str = "") -> Judgement:
    violations = tuple(Violation(kind=kind, sentence=f"{kind}!") for kind in kinds)
    verdict = Verdict(name="any", group="invariant", status=Status.FAIL, reason=reason, violations=violations)
    return Judgement(status=status, verdicts=(verdict,))


def trial(exhibit: Exhibit | None, judged: Judgement | None, reason: str = "") -> Trial:
    status = judged.status if judged is not None else RunStatus.ERROR
    return tried(exhibit, "basic", judged, status, reason, "reports/x/basic")


def test_convicted_of_exactly_its_kinds_is_ok() -> None:
    assert trial(ECHOES, judgement("echo", "inbox")).ok


def test_too_few_too_many_and_none_are_not() -> None:
    assert not trial(ECHOES, judgement("inbox")).ok
    assert not trial(ECHOES, judgement("echo", "leak")).ok
    assert not trial(ECHOES, None).ok
    assert not trial(ECHOES, judgement("echo", status=RunStatus.UNKNOWN)).ok


def test_internal_doubt_is_not() -> None:
    assert not trial(ECHOES, judgement("echo", reason="internal doubt: 1 of 2 ...")).ok


def test_what_of_the_script_must_fail() -> None:
    assert trial(HANGS, judgement("script")).ok
    assert not trial(HANGS, judgement("inbox")).ok


def test_the_good_server_must_pass() -> None:
    assert trial(None, judgement(status=RunStatus.PASS)).ok
    assert not trial(None, judgement(status=RunStatus.UNKNOWN)).ok
    assert not trial(None, judgement("echo")).ok


def test_the_lines() -> None:
    trials = [
        trial(ECHOES, judgement("leak")),
        trial(HANGS, judgement("script")),
        trial(None, judgement(status=RunStatus.PASS)),
    ]
    lines = list(matrix(trials, 1.23, Look()))
    assert lines[:5] == [
        "NOT  echoes  echo  (basic)",
        "     basic: not convicted of echo",
        "     basic: convicted of leak, too",
        "     see chatsim report reports/x/basic",
        "ok   hangs   the script only  (basic)",
    ]
    assert lines[5].startswith("ok   the good server  nothing, in one scenario")
    assert "   0 convict  echo" in lines
    assert lines[-1] == "2 broken systems, 3 runs, 1 of them not as declared in 1.2 s"
