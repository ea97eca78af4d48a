"""`chatsim list`: what it says where there is nothing to list."""

from __future__ import annotations

from click.testing import CliRunner

from harness.cli.commands import chatsim


def test_outside_of_a_clone_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(chatsim, ["list"])
    assert ran.exit_code == 2
    assert "there is no folder scenarios here" in ran.output
    assert "chatsim new scenarios/mine.yaml" in ran.output
