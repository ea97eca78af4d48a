"""Every changed name and id in what a scenario says: what becomes false fails, and the report says who and what."""

import json

import pytest

from tests.e2e.conftest import ROOT
from tests.source.mutants import mutants
from tests.support import NIGHTLY

#: Each mutant is a run; what is checked in minutes plays some of each kind, and the nightly plays all.
EVERY = 1 if NIGHTLY else 6
NAMES = ("basic", "everyone_online", "latecomers", "outsider", "same_name")


def named(verdicts, person, messages):
    """Whether some violation names this person and one of these messages, in its sentence too."""
    return any(
        person in violation["clients"]
        and set(messages) & set(violation["messages"])
        and person in violation["sentence"]
        and any(message in violation["sentence"] for message in messages)
        for verdict in verdicts["verdicts"]
        for violation in verdict["violations"]
    )


@pytest.mark.parametrize(
    ("name", "how"), list(zip(NAMES, ("stream", "poll", "stream", "poll", "stream"), strict=True))
)
def test_each_mutant_ends_as_it_must(chatsim, tmp_path, name, how):
    folder = tmp_path / "mutants"
    folder.mkdir()
    # One row is enough: what a mutant says is true or false however people receive.
    whole = (ROOT / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
    text = whole.replace("how: [stream, poll]", f"how: [{how}]")
    assert text != whole
    valid = {}
    for number, mutant in enumerate(mutants(text)):
        if mutant.outcome != "invalid" and number % EVERY == 0:
            valid[f"m{number}[{how}]"] = mutant
            (folder / f"m{number}.yaml").write_text(mutant.text, encoding="utf-8")
    ran = chatsim("run", folder, "--speed", "max", "-j", "12", timeout=240)
    assert ran.code == 1, ran
    outcomes = set()
    for row, mutant in valid.items():
        verdicts = json.loads((ran.folder / row / "verdicts.json").read_text())
        outcomes.add(mutant.outcome)
        expected = "pass" if mutant.outcome == "holds" else "fail"
        assert verdicts["status"] == expected, (mutant.description, verdicts["reason"], mutant.text)
        if mutant.outcome == "fails":
            person, messages = mutant.wrong[0]
            assert named(verdicts, person, messages), (mutant.description, person, messages, verdicts)
    assert outcomes == {"holds", "fails"}


@pytest.mark.parametrize("name", NAMES)
def test_mutants_that_contradict_themselves_start_nothing(chatsim, tmp_path, name):
    folder = tmp_path / "mutants"
    folder.mkdir()
    text = (ROOT / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
    (folder / "good.yaml").write_text(text, encoding="utf-8")
    invalid = [mutant for mutant in mutants(text) if mutant.outcome == "invalid"]
    for number, mutant in enumerate(invalid):
        (folder / f"m{number}.yaml").write_text(mutant.text, encoding="utf-8")
    ran = chatsim("run", folder)
    assert ran.code == 2, ran
    for number in range(len(invalid)):
        assert f"m{number}.yaml:" in ran.err
    assert "good.yaml" not in ran.err
    assert not chatsim.reports.exists()
