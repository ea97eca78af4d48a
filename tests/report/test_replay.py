"""`chatsim replay`: what it shows of a history, when it shows it, and which row it takes."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from harness.cli.replay import command, paced
from harness.report.early import connected_first
from harness.report.look import Look
from harness.report.replay import Frame, Retelling
from tests.report.html.test_files import write
from tests.report.story import Story, story_of
from tests.report.test_golden import check


def retold(row, look=Look(), ops=None):  # noqa: B008 - a Look is a value
    retelling = Retelling(row, look)
    frames = list(
        retelling.frames(sorted(story_of(row).ops if ops is None else ops, key=lambda op: op.index))
    )
    shown = [line for frame in frames for line in frame.lines]
    return frames, "\n".join([*retelling.opening(), *shown, *retelling.closing(), ""])


@pytest.mark.parametrize("name", ["undelivered", "server_died", "leak", "fifty_clients"])
def test_a_run_told_again(tell, name):
    check(f"replay_{name}.txt", retold(tell(name))[1])


def test_every_story_fits_its_terminal_and_goes_forward_in_time(told):
    _, row = told
    for width in (60, 80, 120):
        frames, text = retold(row, Look(width=width))
        assert all(a.time_ns <= b.time_ns for a, b in itertools.pairwise(frames))
        assert all(len(line) <= width for line in text.split("\n") if line.isascii())
    assert retold(row, Look(ascii=True))[1].isascii()


def test_names_stand_again_after_a_while():
    story = Story().begin()
    for number in range(100):
        story.got(1_000 + number, "alice", id=f"m.{number}", client_message_id=f"m.{number}")
    lines = retold(story.report(None), ops=story.ops)[1].split("\n")
    heads = [place for place, line in enumerate(lines) if line.split() == ["alice", "bob", "server", "chad"]]
    assert len(heads) == 3
    assert all(b - a <= 42 for a, b in itertools.pairwise(heads))


def test_what_overtook_the_answer_to_a_connect_is_told_after_it():
    story = Story()
    story.op(0, "server", "ok", "start", {"pid": 1})
    story.op(1, "chad", "invoke", "connect", {}, op=1)
    story.got(3, "chad")
    story.op(4, "alice", "invoke", "connect", {}, op=2)
    story.op(5, "chad", "ok", "connect", {}, op=1)
    story.got(6, "chad", id="later", client_message_id="later")
    frames, text = retold(story.report(None), ops=story.ops)
    arrows = [line for line in text.split("\n") if "◀" in line or "▶" in line]
    assert [line.split()[0] for line in arrows] == ["0.003s", "0.003s", "0.006s"]
    assert ["connect" in line for line in arrows] == [True, False, False]
    assert all(a.time_ns <= b.time_ns for a, b in itertools.pairwise(frames))


def test_only_who_asked_to_connect_is_waited_for():
    story = Story()
    seen = [story.got(number, "chad") for number in range(3)]  # as another program may have recorded it
    told = connected_first(iter(story.ops), invoked=True)
    assert next(told).index == seen[0]
    story.op(4, "alice", "invoke", "connect", {}, op=1)
    story.got(5, "alice")
    story.op(6, "alice", "info", "connect", {}, op=1)  # nobody knows, and nothing is held back any more
    assert [op.index for op in connected_first(story.ops, invoked=True)] == list(range(6))


class Watch:
    """A clock that only moves by sleeping."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.mark.parametrize(("speed", "slept"), [(1.0, [1.0, 2.0]), (4.0, [0.25, 0.5]), (None, [])])
def test_lines_come_when_they_are_due(speed, slept):
    frames = [Frame(0, ("a",)), Frame(10**9, ("b", "c")), Frame(10**9, ("d",)), Frame(3 * 10**9, ("e",))]
    watch = Watch()
    assert list(paced(frames, speed, lambda: watch.now, watch.sleep)) == list("abcde")
    assert watch.slept == slept


def test_who_is_late_does_not_wait():
    watch = Watch()
    lines = paced([Frame(10**9, ("a",)), Frame(2 * 10**9, ("b",))], 1.0, lambda: watch.now, watch.sleep)
    assert next(lines) == "a"
    watch.now += 60  # the terminal was stopped
    assert list(lines) == ["b"]
    assert watch.slept == [1.0]


@pytest.fixture
def run(tmp_path, tell):
    """The folder of a run: two that passed and one that did not."""
    folder = tmp_path / "run"
    for name, story in (("one", "passes"), ("latecomers[poll]", "undelivered"), ("two", "passes")):
        row = tell(story)
        write(folder / name, row)
        (folder / name / "verdicts.json").write_text(json.dumps(row.judgement.to_json()))
    return folder


def replay(*words):
    return CliRunner().invoke(command, [*map(str, words)])


def test_of_several_the_one_that_failed_is_meant_and_nothing_is_written(run):
    before = sorted(run.rglob("*"))
    done = replay(run)
    assert done.exit_code == 0, done.output
    assert "✗ never got hello" in done.output
    assert done.output.splitlines()[-1] == f"  page       chatsim report '{run / 'latecomers[poll]'}' --open"
    assert sorted(run.rglob("*")) == before


def test_a_row_by_its_name(run):
    done = replay(run, "--row", "one")
    assert done.exit_code == 0
    assert "PASS" in done.output
    refused = replay(run, "--row", "latecomers[pol]")
    assert refused.exit_code == 2
    assert "did you mean latecomers[poll]?" in " ".join(refused.output.split())


def test_where_several_could_be_meant_they_are_named(run, tell):
    write(run / "worse", tell("leak"))
    (run / "worse" / "verdicts.json").write_text(json.dumps(tell("leak").judgement.to_json()))
    done = replay(run)
    assert done.exit_code == 2
    assert done.output.rstrip().endswith("name one, or its folder: latecomers[poll], worse")


def test_where_there_is_no_run_it_says_what_makes_one(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = replay()
    assert done.exit_code == 2
    assert "`chatsim run` makes one" in " ".join(done.output.split())
    assert "name one of them" in " ".join(replay(tmp_path).output.split())
    (tmp_path / "empty").mkdir()
    assert "no run is here" in " ".join(replay(tmp_path / "empty").output.split())


def test_a_speed_that_is_none(run):
    done = replay(run, "--speed", "fast")
    assert done.exit_code == 2
    assert "'fast' is no speed: write a factor such as 10x, or max" in " ".join(done.output.split())


def test_ctrl_c_ends_it_in_good_order(run):
    words = [sys.executable, "-m", "harness", "replay", run, "--speed", "0.001x"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "Latecomers catch up, strangers hear nothing\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err.strip()) == (130, "interrupted"), out
    assert "never got" not in out
