"""`chatsim new` and `chatsim list --md`: what they write, and what they refuse to."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cli import keyboard
from harness.cli.commands import chatsim
from harness.source.compile import compile_plan
from harness.source.loader import load
from harness.source.template import template

ROOT = Path(__file__).resolve().parents[2]


def run(*words: object):
    return CliRunner().invoke(chatsim, [str(word) for word in words])


def test_it_writes_a_scenario_without_a_fault_and_says_what_to_type_next(tmp_path):
    path = tmp_path / "new" / "old_friends.yaml"
    result = run("new", path)
    assert result.exit_code == 0
    assert f"chatsim run {path}" in result.output
    loaded = load([str(path)])
    assert not loaded.diagnostics
    assert [plan.title for plan in loaded.plans] == ["Old friends"]
    assert path.read_text().count("#") > 10


def test_title_and_clients(tmp_path):
    path = tmp_path / "x.yaml"
    assert run("new", path, "--title", "Yes: it's #1", "--clients", "ann, ben,cleo,dora").exit_code == 0
    (plan,) = load([str(path)]).plans
    assert plan.title == "Yes: it's #1"
    assert [client.name for client in plan.clients] == ["ann", "ben", "cleo", "dora"]


def test_in_a_project_with_the_schema_the_first_line_leads_to_it(tmp_path):
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "scenario.v1.json").write_text("{}")
    assert run("new", tmp_path / "scenarios" / "deep" / "x").exit_code == 0
    first = (tmp_path / "scenarios" / "deep" / "x.yaml").read_text().split("\n")[0]
    assert first == "# yaml-language-server: $schema=../../schema/scenario.v1.json"


def test_nothing_is_written_over_without_force(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("mine")
    result = run("new", path)
    assert result.exit_code == 2
    assert "exists already; choose another name, or --force" in result.output
    assert path.read_text() == "mine"
    assert run("new", path, "--force").exit_code == 0
    assert path.read_text() != "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x.txt"], "a scenario's name ends in .yaml"),
        (["x", "--clients", "alice"], "a conversation needs two at least"),
        (["x", "--clients", "alice,two words"], "`two words` cannot be the name of a client"),
        (["x", "--clients", "alice,alice"], "two clients are called `alice`"),
    ],
)
def test_what_it_refuses(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    result = run("new", *words)
    assert result.exit_code == 2
    assert said in result.output
    assert not list(tmp_path.iterdir())


@example(title="False", clients=["ann", "ben"])
@example(title="- # : {", clients=["ann", "ben"])
@given(
    title=st.text(min_size=1).filter(str.strip),
    clients=st.lists(
        st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True), min_size=2, max_size=6, unique=True
    ),
)
def test_whatever_the_title_and_the_names_it_is_a_scenario(title, clients):
    reserved = {
        "server",
        "harness",
        "fence",
        "script",
        "nemesis",
        "everyone_else",
        "interleaved",
        "null",
        "true",
        "false",
    }
    if reserved & set(clients):
        return
    plan, found = compile_plan(template(title, clients), "x.yaml", "x")
    control = any(not char.isprintable() and not char.isspace() for char in title)
    if plan is None:
        assert control, [item.message for item in found]
        return
    assert plan.title == " ".join(title.split())


def test_a_person_is_asked_for_what_was_not_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keyboard, "someone_is_there", lambda: True)
    answers = "Ann & Ben: the reunion\nann\nann,ben\n\n"  # one name is not enough, and asked for again
    result = CliRunner().invoke(chatsim, ["new"], input=answers)
    assert result.exit_code == 0, result.output
    (plan,) = load(["ann_ben_the_reunion.yaml"]).plans
    assert plan.title == "Ann & Ben: the reunion"
    assert [client.name for client in plan.clients] == ["ann", "ben"]
    assert "a conversation needs two at least" in result.output


def test_enter_takes_what_is_offered_and_ctrl_c_leaves_no_trace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keyboard, "someone_is_there", lambda: True)
    assert CliRunner().invoke(chatsim, ["new"], input="\n").exit_code == 1
    assert not list(tmp_path.iterdir())
    (tmp_path / "scenarios").mkdir()
    assert CliRunner().invoke(chatsim, ["new"], input="\n\n\n").exit_code == 0
    assert load(["scenarios/chad_is_back.yaml"]).plans[0].title == "Chad is back"


def test_a_program_is_not_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(chatsim, ["new"], input="x\n\n\n")
    assert result.exit_code == 2
    assert "Missing argument 'PATH'" in result.output
    assert not list(tmp_path.iterdir())


def test_the_index_of_the_scenarios_is_fresh(monkeypatch):
    monkeypatch.chdir(ROOT)
    printed = run("list", "--md", "scenarios").output
    assert Path("scenarios/README.md").read_text() == printed, (
        "run `chatsim list --md scenarios > scenarios/README.md`"
    )


def test_links_of_an_index_begin_at_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("new", "plays/a.yaml", "--title", "A | b")
    run("new", "plays/deep/b.yaml")
    output = run("list", "--md", "plays").output
    assert r"| [a](a.yaml) | A \| b | 3 |  |" in output
    assert "| [b](deep/b.yaml) |" in output
