"""A command that a sentence gives to copy begins with what chatsim was started by."""

import pytest
from click.testing import CliRunner

from harness.cli.commands import chatsim
from harness.cli.invoke import COMPLETE_VARIABLE, invoke


@pytest.fixture(autouse=True)
def clone(monkeypatch, tmp_path):
    monkeypatch.setenv("CHATSIM_DEV", "../a clone/dev")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["new", "my own"], "then   '../a clone/dev' chatsim explain 'my own.yaml'"),
        (["list"], "or begin one: '../a clone/dev' chatsim new scenarios/mine.yaml"),
        (["report", "nowhere"], "nowhere: there is no such folder; `'../a clone/dev' chatsim run` makes one"),
        (["replay"], "reports/latest: there is no such folder; `'../a clone/dev' chatsim run` makes one"),
        (
            ["report", "--compare", "a", "b"],
            "a: there is no such folder; `'../a clone/dev' chatsim run` makes",
        ),
        (["selftest", "xyz"], "`'../a clone/dev' chatsim selftest --list` says what there is"),
    ],
)
def test_in_a_clone_it_is_dev(words, said):
    assert said in CliRunner().invoke(chatsim, words).output


def test_usage_too(capsys):
    assert invoke(["run"]) == 2
    assert "Try ''../a clone/dev' chatsim run --help' for help." in capsys.readouterr().err


def test_a_shell_completes_the_plain_name(monkeypatch, capsys):
    monkeypatch.setenv(COMPLETE_VARIABLE, "bash_source")
    with pytest.raises(SystemExit):
        invoke([])
    said = capsys.readouterr().out
    assert "chatsim_completion" in said
    assert "clone" not in said


def test_a_file_is_no_run(tmp_path):
    (tmp_path / "x").touch()
    said = CliRunner().invoke(chatsim, ["report", "x"]).output
    assert "x: it is a file, and a run is a folder" in said
    assert "makes one" not in said
