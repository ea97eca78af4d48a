"""Options of `chatsim run` that programs and CI use: --json, --repeat, -vv, tags, annotations; and the key t."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys

import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.test_could_not_run import QUICK
from tests.support import until

#: Makes the terminal on standard input the controlling one, then becomes the command.
FOREGROUND = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)

FAILS = QUICK.replace("bob: [hello]", "bob: []")


def test_json_lines_on_standard_output_and_people_on_standard_error(chatsim, scenario):
    ran = chatsim("run", scenario(QUICK, "good.yaml"), scenario(FAILS, "bad.yaml"), "-j", "1", "--json")
    assert ran.code == 1
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert events[0]["schema"] == "chatsim.run.v1"
    assert [event["event"] for event in events] == [
        "run_started",
        *["row_started", *["step"] * 3, "row_finished"] * 2,
        "run_finished",
    ]
    assert [row["row"] for row in events[0]["rows"]] == ["good", "bad"]
    assert events[2]["text"] == "connect alice, bob"
    assert events[2]["line"] == 6
    passed, failed = (event for event in events if event["event"] == "row_finished")
    assert (passed["status"], passed["violations"]) == ("pass", [])
    (violation,) = failed["violations"]
    assert violation["sentence"] == "bob got `hello`, which is not in this inbox"
    assert violation["line"] == 13
    assert events[-1]["exit_code"] == 1
    assert events[-1]["totals"]["fail"] == 1
    assert "inbox of bob" in ran.err


def test_with_v_every_operation_of_the_history_is_an_event(chatsim, scenario):
    ran = chatsim("run", scenario(QUICK), "--json", "-v")
    ops = [event["op"] for event in map(json.loads, ran.out.splitlines()) if event["event"] == "op"]
    assert ops == ran.history()


LANES = """
scenario: Two talk at once
clients: [alice, bob]
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
  - parallel:
      one: [{send: a, from: alice, id: a}]
      two: [{send: b, from: bob, id: b}]
  - expect: b
    received_by: alice
"""


def test_steps_of_lanes_are_numbered_behind_their_parallel(chatsim, scenario):
    ran = chatsim("run", scenario(LANES), "--json", "-vv")
    assert ran.code == 0, ran
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert events[0]["rows"][0]["steps"] == 5
    steps = {event["index"]: event for event in events if event["event"] == "step"}
    assert [steps[number]["line"] for number in range(5)] == [6, 7, 8, 9, 10]
    assert steps[3]["pointer"] == "/steps/1/parallel/two/0"
    assert "▶ step 4/5 send b from bob to lobby" in ran.err


def test_json_of_an_invalid_file_is_nothing(chatsim, scenario):
    ran = chatsim("run", scenario(QUICK.replace("connect", "conect")), "--json")
    assert (ran.code, ran.out) == (2, "")


def test_repeated_rows_have_names_and_folders_of_their_own(chatsim, scenario):
    ran = chatsim("run", scenario(QUICK), "--repeat", "3", "-j", "1")
    assert ran.code == 0
    report = json.loads((ran.folder / "report.json").read_text())
    assert [row["name"] for row in report["rows"]] == ["made#1", "made#2", "made#3"]
    assert len({row["directory"] for row in report["rows"]}) == 3
    assert len({row["seed"] for row in report["rows"]}) == 1


def test_vv_passes_on_what_processes_write_under_their_names(chatsim, scenario):
    ran = chatsim("run", scenario(QUICK), "-vv")
    assert "    server │ " in ran.err
    assert "chatsys.server.app: serving on" in ran.err
    assert "▶ step 3/3 expect hello" in ran.err
    written = [
        line
        for path in ran.folder.glob("made/logs/*.log")
        for line in path.read_text().splitlines()
        if line.strip()
    ]
    assert len([line for line in ran.err.splitlines() if "│" in line]) == len(written)


def test_a_tag_selects(chatsim, scenario, tmp_path):
    (tmp_path / "scenarios").mkdir()
    scenario(f"tags: [smoke]{QUICK}", "scenarios/one.yaml")
    scenario(QUICK, "scenarios/two.yaml")
    ran = chatsim("run", tmp_path / "scenarios", "#smoke")
    assert ran.code == 0
    assert "1 run: 1 passed" in ran.out
    assert chatsim("run", tmp_path / "scenarios", "#slow").code == 5


def test_failures_are_annotated_and_summarised_for_github(chatsim, scenario, tmp_path):
    path, summary = scenario(FAILS), tmp_path / "summary.md"
    environment = {**chatsim.environment, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    done = subprocess.run(
        chatsim.command("run", path, "--summary", tmp_path / "mine.md"),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert f"::error file={path},line=13::bob got `hello`, which is not in this inbox" in done.stdout
    assert summary.read_text().startswith("### ❌ chatsim: 1 run: 1 failed")
    assert (tmp_path / "mine.md").read_text() == summary.read_text()


def test_the_key_t_tells_what_is_going_on(chatsim, scenario):
    """On a terminal of its own, in the foreground of it."""
    path = scenario(QUICK.replace("  - send: hello", "  - wait: 60s\n  - send: hello"))
    fd, terminal = pty.openpty()
    command = [sys.executable, "-c", FOREGROUND, *chatsim.command("run", path)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**chatsim.environment, "TERM": "dumb"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    said = b""

    def reads(word):
        nonlocal said
        os.set_blocking(fd, False)
        with contextlib.suppress(OSError):  # nothing there, or the other end is closed
            said += os.read(fd, 65536)
        return word in said

    waiting = chatsim.reports.glob
    until(
        lambda: any('"wait"' in file.read_text() for file in waiting("2*/*/history.jsonl")), "the pause", 30
    )
    os.write(fd, b"xt")
    until(lambda: reads("log      server │ ".encode()), "the answer", 30)
    os.write(fd, b"\x03")
    until(lambda: reads(b"1 interrupted"), "the end", 30)
    code = process.wait(30)
    os.close(fd)
    text = said.decode().replace("\r\n", "\n")
    assert code == 130, text
    assert "online   alice, bob\n" in text
    assert "server   up, pid " in text
    assert "waiting  step 2/4 wait 60.0 s, since " in text
    place = QUICK[: QUICK.index("  - send: hello")].count("\n") + 1
    assert f"  --> {path}:{place}:5\n" in text  # where it was interrupted
    assert re.search(r"- wait: 60s\n +\| +\^+ interrupted, \d+\.\d s into this step\n", text)


def test_a_reader_who_leaves_stops_no_run(chatsim):
    words = ("run", "scenarios/basic.yaml", "scenarios/kick.yaml", "--speed", "max", "-j", "1")
    with chatsim.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    (folder,) = chatsim.reports.glob("2*")
    assert (process.returncode, err) == (0, f"nobody reads; playing on, report in {folder}\n")
    assert len(list(folder.glob("*/verdicts.json"))) == 4
    assert (folder / "junit.xml").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("list", "scenarios"),
        ("schema",),
        ("check", "scenarios/basic.yaml"),
        ("run", "scenarios/basic.yaml", "--speed", "max"),
        ("demo", "--reports", "{reports}"),
    ],
    ids=lambda words: words[0],
)
def test_who_reads_nothing_changes_no_exit_code(chatsim, words):
    reading, writing = os.pipe()
    os.close(reading)
    named = [word.format(reports=chatsim.reports) for word in words]
    try:
        with chatsim.start(*named, stdout=writing, stderr=subprocess.PIPE) as process:
            err = process.stderr.read()
    finally:
        os.close(writing)
    assert process.returncode == 0, err
    assert [line for line in err.splitlines() if "nobody reads" not in line and "scenario" not in line] == []


def test_a_person_is_told_how_to_get_a_page_of_what_passed(chatsim, scenario):
    fd, terminal = pty.openpty()
    environment = {**chatsim.environment, "TERM": "xterm"}
    environment.pop("CI", None)
    process = subprocess.Popen(
        chatsim.command("run", scenario(QUICK)),
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=subprocess.STDOUT,
    )
    os.close(terminal)
    said = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while part := os.read(fd, 65536):
            said += part
    os.close(fd)
    assert process.wait(30) == 0, said
    [folder] = chatsim.reports.glob("2*")
    assert said.decode().endswith(f"chatsim report {folder}   (writes one)\r\n")
    assert "(writes one)" not in chatsim("run", scenario(QUICK)).out
