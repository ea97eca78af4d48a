"""What chatsim leaves open, or behind, is found; what was there before is not its doing."""

import os
import socket
from pathlib import Path

import pytest

from harness.cli import own_leaks
from harness.cli.exit_codes import ExitCode, exit_code
from harness.model.verdict import RunStatus

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="/proc is Linux's")


def test_what_was_opened_since_is_left(tmp_path):
    path = tmp_path / "log"
    with (tmp_path / "before").open("w"):
        before = own_leaks.opened()
        assert not list(own_leaks.left(before, Path()))
        reading, writing = os.pipe()
        with path.open("w"), socket.socket() as made:
            inode = os.fstat(made.fileno()).st_ino
            left = list(own_leaks.left(before, Path()))
        os.close(reading)
        os.close(writing)
    assert len(left) == 3
    assert {str(path), f"socket:[{inode}]"} < set(left)
    assert not list(own_leaks.left(before, Path()))


def test_a_scratch_directory_is_left(tmp_path):
    before = own_leaks.opened()
    assert list(own_leaks.left(before, tmp_path)) == [str(tmp_path)]
    assert not list(own_leaks.left(before, tmp_path / "removed"))


def test_it_is_no_verdict_on_the_server():
    assert exit_code([RunStatus.FAIL], broke=True) is ExitCode.COULD_NOT_RUN
    assert exit_code([RunStatus.INTERRUPTED], broke=True) is ExitCode.INTERRUPTED
