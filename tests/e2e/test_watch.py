"""`chatsim run --watch`: what was edited is played again with the same seed, and Ctrl-C ends it."""

import json
import signal
import subprocess

from tests.e2e.test_could_not_run import QUICK
from tests.support import until


def rounds(reports):
    """The finished rounds, in order: for each its rows, status and seed."""
    found = [json.loads(path.read_text()) for path in sorted(reports.glob("2*/report.json"))]
    found.sort(key=lambda report: report["started_at"])
    return [[(row["name"], row["status"], row["seed"]) for row in report["rows"]] for report in found]


def test_an_edit_is_played_again_with_the_same_seed(chatsim, scenario):
    first, other = scenario(QUICK, "first.yaml"), scenario(QUICK, "other.yaml")
    with chatsim.start(
        "run", first, other, "--watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        until(lambda: len(rounds(chatsim.reports)) == 1, "the first round", 30)
        first.write_text(QUICK.replace("bob: [hello]", "bob: []"))
        until(lambda: len(rounds(chatsim.reports)) == 2, "the round after the edit", 30)
        first.write_text(QUICK.replace("connect:", "conect:"))
        first.write_text(QUICK)
        until(lambda: len(rounds(chatsim.reports)) == 3, "the round after the file was mended", 30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    played = rounds(chatsim.reports)
    seed = played[0][0][2]
    assert [[row[:2] for row in rows] for rows in played] == [
        [("first", "pass"), ("other", "pass")],
        [("first", "fail")],
        [("first", "pass")],
    ]
    assert {row[2] for rows in played for row in rows} == {seed}
    assert f"changed: {first}" in err
    assert "+  bob: []" in err
    [again] = [line for line in out.splitlines() if line.startswith("  again ")]
    assert again.endswith(f"chatsim run {first} --reports {chatsim.reports} --seed {seed}")
    assert "Traceback" not in err


def test_an_invalid_file_is_said_and_waited_for(chatsim, scenario):
    path = scenario(QUICK.replace("connect:", "conect:", 1))
    log = scenario("", "err.log")
    with log.open("w") as err, chatsim.start("run", path, "--watch", stdout=err, stderr=err) as process:
        until(lambda: "watching: edit a scenario" in log.read_text(), "the first look", 30)
        path.write_text(QUICK)
        until(lambda: rounds(chatsim.reports), "the round after the file was mended", 30)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert "did you mean `connect`?" in log.read_text()
    assert process.returncode == 130
