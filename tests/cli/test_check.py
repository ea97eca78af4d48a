"""`chatsim check` of scenario files: what it says when all is well, nearly well, and with `--strict`."""

from __future__ import annotations

from click.testing import CliRunner

from harness.cli.commands import chatsim

GOOD = """
scenario: Two people and a word
clients: [alice, bob]
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
  - send: hello
    from: alice
"""
DOUBTFUL = GOOD.replace("send: hello", "send: hello #2")


def check(tmp_path, text, *options):
    path = tmp_path / "one.yaml"
    path.write_text(text)
    return CliRunner().invoke(chatsim, ["check", str(path), *options])


def test_all_is_well(tmp_path):
    for options in ((), ("--strict",)):
        done = check(tmp_path, GOOD, *options)
        assert (done.exit_code, done.output) == (0, "1 file, 1 scenario: no problem found\n")


def test_a_warning_is_in_the_total_and_stops_only_who_is_strict(tmp_path):
    done = check(tmp_path, DOUBTFUL)
    assert done.exit_code == 0
    assert done.stdout == "1 file, 1 scenario: no error, 1 warning\n"
    assert "warning[cut-short]" in done.stderr
    strict = check(tmp_path, DOUBTFUL, "--strict")
    assert (strict.exit_code, strict.stdout) == (2, "")
    assert strict.stderr.endswith("one.yaml: 1 warning, and `--strict` takes none\n")
