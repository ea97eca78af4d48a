"""A history is whole up to a moment, and never has a hole in it."""

import errno
import json
import os

from harness.run.recorder import Recorder


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def test_what_a_full_disk_does_not_take_is_the_end_of_the_record(tmp_path, monkeypatch):
    path = tmp_path / "history.jsonl"
    recorder = Recorder(path, "r")
    heard: list[OSError] = []
    seen: list[int] = []
    recorder.on_lost = heard.append
    recorder.listen(lambda op: seen.append(op.index))
    recorder.note("bob", "deliver", {})
    real = os.write
    full = OSError(errno.ENOSPC, "No space left on device")

    def write(*_):
        raise full

    monkeypatch.setattr(os, "write", write)
    recorder.note("bob", "deliver", {})
    monkeypatch.setattr(os, "write", real)
    recorder.note("bob", "deliver", {})  # there is room again, and a line before it is missing
    recorder.close()
    assert [op["index"] for op in lines(path)] == [0]
    assert heard == [full]
    assert recorder.lost is full
    assert len(seen) == 3


def test_what_comes_after_its_end_is_written_nowhere(tmp_path):
    """Its descriptor may be another row's by then."""
    recorder = Recorder(tmp_path / "history.jsonl", "r")
    recorder.close()
    with (tmp_path / "other").open("w"):
        recorder.note("server", "exit", {})
    assert lines(tmp_path / "history.jsonl") == []
    assert (tmp_path / "other").read_text() == ""
