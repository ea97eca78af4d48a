"""`chatsim list`: names, titles and tags, whole for programs; and what it says where there is nothing to list."""

from __future__ import annotations

from click.testing import CliRunner

from harness.cli.commands import chatsim


def test_outside_of_a_clone_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(chatsim, ["list"])
    assert ran.exit_code == 2
    assert "there is no folder scenarios here" in ran.output
    assert "chatsim new scenarios/mine.yaml" in ran.output


LONG = "A title that is far too long for a terminal of eighty columns, as some of them are, and ends here"


def test_what_a_program_reads_is_whole_and_has_the_tags(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "one.yaml").write_text(
        f"scenario: {LONG}\ntags: [auth, slow]\nclients: [a, b]\nrooms: {{r: [a, b]}}\nsteps: [{{connect: a}}]\n"
    )
    listed = CliRunner().invoke(chatsim, ["list"])
    assert listed.stdout == f"one  {LONG}  #auth  #slow\n"
    nothing = CliRunner().invoke(chatsim, ["run", "#smoke"])
    assert nothing.exit_code == 5
    assert "no scenario is meant by #smoke; the tags there are: #auth #slow" in nothing.output
