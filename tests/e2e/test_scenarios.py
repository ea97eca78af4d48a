"""Each scenario that ships passes, and its record alone gives the same verdicts."""

import json

import pytest

from harness.cli.derive import derive
from harness.model.verdict import RunStatus
from harness.source import load
from tests.e2e.conftest import ROOT
from tests.support import NIGHTLY, shipped

SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
#: Some scenarios are played by one invocation; each share by the names of its own.
SHARES = {"+".join(path.stem for path in share): share for n in range(8) if (share := SCENARIOS[n::8])}


def without_one_delivery(row, number):
    """Take the nth deliver line out of a history; return (client, message id), or None when there is none."""
    head, *lines = (row / "history.jsonl").read_text().splitlines()
    ops = [json.loads(line) for line in lines]
    found = [place for place, op in enumerate(ops) if op["f"] == "deliver"]
    if number >= len(found):
        return None
    gone = ops.pop(found[number])
    for index, op in enumerate(ops):
        op["index"] = index
    (row / "history.jsonl").write_text("\n".join([head, *(json.dumps(op) for op in ops)]) + "\n")
    return gone["process"].partition("#")[0], gone["value"]["id"]


#: Of a workload nothing says who receives what: only the invariants miss a delivery, and tests/judge is about these.
SCRIPTED = [path for path in shipped() if "\nworkload:" not in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("paths", SHARES.values(), ids=SHARES)
def test_they_pass_and_are_judged_the_same_from_their_record_and_fail_without_any_one_delivery(
    chatsim, paths
):
    plans = {path: load([str(path)]).plans for path in paths}
    ran = chatsim("run", *paths, "--speed", "max", "-j", "4")
    assert ran.code == 0, ran
    assert set(ran.rows) == {plan.name for rows in plans.values() for plan in rows}
    assert f"{len(ran.rows)} passed" in ran.text
    assert ran.folder.is_symlink()
    judged_the_same_again(chatsim, ran)
    for path in paths:
        if path in SCRIPTED:
            # Of several rows the first: it is pushed to, and there each delivery is of one client alone.
            no_delivery_is_too_many(ran.row(plans[path][0].name))


def judged_the_same_again(chatsim, ran):
    first = {name: ran.verdicts(name) for name in ran.rows}
    for name, judged in first.items():
        assert judged["status"] == "pass"
        assert all(verdict["status"] in ("pass", "not exercised") for verdict in judged["verdicts"]), judged
        for derived in ("verdicts.json", "env.json"):
            (ran.row(name) / derived).unlink()
    for derived in ("report.json", "junit.xml"):
        (ran.folder / derived).unlink()
    again = chatsim("report", ran.folder)
    assert again.code == 0, again
    assert {name: ran.verdicts(name) for name in ran.rows} == first
    assert (ran.folder / "junit.xml").is_file()


def no_delivery_is_too_many(row):
    """Without any one of its deliveries it fails, and names person and message."""
    whole = (row / "history.jsonl").read_text()
    # Of many, every so many: each is a judgement of its own, and a longer one.
    deliveries = sum('"f":"deliver"' in line for line in whole.splitlines())
    stride = 1 if NIGHTLY else 1 + max(deliveries // 24, deliveries**2 // 6_000)
    number = 0
    while gone := without_one_delivery(row, number):
        client, message = gone
        judged = derive(row).judgement
        assert judged is not None
        assert judged.status is RunStatus.FAIL, gone
        said = [violation.sentence for verdict in judged.verdicts for violation in verdict.violations]
        assert any(client in sentence and message in sentence for sentence in said), (gone, said)
        (row / "history.jsonl").write_text(whole)
        number += stride
    assert number > 0
