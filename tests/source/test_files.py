"""Paths, folders, tags and files that are no scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.source import closing_line, load, render

GOOD = (
    "scenario: {0}\ntags: [{1}]\nclients: [alice]\nrooms: {{lobby: [alice]}}\nsteps: [{{connect: alice}}]\n"
)


def codes(loaded):
    return [item.code for item in loaded.diagnostics if item.severity == "error"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios" / "deep").mkdir(parents=True)
    (tmp_path / "scenarios" / "one.yaml").write_text(GOOD.format("One", "smoke"))
    (tmp_path / "scenarios" / "deep" / "two.yml").write_text(GOOD.format("Two", "slow"))
    (tmp_path / "scenarios" / ".hidden").mkdir()
    (tmp_path / "scenarios" / ".hidden" / "x.yaml").write_text("not: a scenario")
    (tmp_path / "scenarios" / "notes.txt").write_text("no scenario")
    return tmp_path


def test_a_folder_is_searched_to_the_bottom(folder):
    assert [plan.name for plan in load(["scenarios"]).plans] == ["two", "one"]


def test_each_file_is_loaded_once(folder):
    loaded = load(["scenarios/one.yaml", "scenarios", "./scenarios/one.yaml"])
    assert [plan.name for plan in loaded.plans] == ["one", "two"]


def test_tags_choose(folder):
    assert [plan.name for plan in load(["#smoke"]).plans] == ["one"]
    assert [plan.name for plan in load(["scenarios", "#slow", "#smoke"]).plans] == ["two", "one"]
    nothing = load(["#none"])
    assert nothing.nothing
    assert not nothing.failed


def test_tags_alone_need_the_folder_scenarios(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = load(["#smoke"])
    assert codes(loaded) == ["no-scenarios"]
    text = render(loaded.diagnostics, color=False, sources={})
    assert "tags are looked for in ./scenarios, and there is no such folder here" in text
    assert "name the folder too: `FOLDER '#smoke'`" in text


def test_elsewhere_only_files_with_a_title_are_scenarios(folder):
    (folder / "other").mkdir()
    (folder / "other" / "compose.yaml").write_text("services: {}\n")
    (folder / "other" / "mine.yaml").write_text(GOOD.format("Mine", "x"))
    assert [plan.title for plan in load(["other"]).plans] == ["Mine"]


def test_a_folder_without_scenarios(folder):
    (folder / "empty").mkdir()
    loaded = load(["empty"])
    assert codes(loaded) == ["no-scenarios"]
    assert not loaded.nothing
    assert closing_line(loaded.diagnostics) == "empty: 1 problem, nothing was started"


def test_names_are_unique(folder):
    (folder / "scenarios" / "deep" / "one.yaml").write_text(GOOD.format("Another one", "x"))
    names = [plan.name for plan in load(["scenarios"]).plans]
    assert sorted(names) == ["deep/one", "scenarios/one", "two"]


def test_missing_files_get_a_near_name(folder):
    loaded = load(["scenarios/onee.yaml", "scenario/one.yaml", "scenarios/one.yaml/x"])
    assert codes(loaded) == ["no-such-file"] * 3
    text = render(loaded.diagnostics, color=False, sources=loaded.sources)
    assert "did you mean scenarios/one.yaml?" in text


@pytest.mark.parametrize("named", ["one", "one[stream]", "one.yaml"])
def test_a_name_that_list_shows_leads_to_its_file(folder, named):
    loaded = load([named])
    assert "did you mean scenarios/one.yaml?" in render(loaded.diagnostics, color=False, sources={})


def test_not_utf8(folder):
    (folder / "latin.yaml").write_bytes("scenario: x\nclients: [josé]\n".encode("latin-1"))
    (folder / "wide.yaml").write_bytes("scenario: x\n".encode("utf-16"))
    loaded = load(["latin.yaml", "wide.yaml"])
    assert codes(loaded) == ["not-utf-8", "not-utf-8"]
    assert (loaded.diagnostics[0].line, loaded.diagnostics[0].column) == (2, 14)
    assert "UTF-16" in loaded.diagnostics[1].message


def test_a_byte_order_mark_is_no_fault(folder):
    (folder / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.format("B", "x").encode())
    loaded = load(["bom.yaml"])
    assert [plan.title for plan in loaded.plans] == ["B"]


def test_windows_line_ends_are_no_fault(folder):
    (folder / "crlf.yaml").write_bytes(GOOD.format("C", "x").replace("\n", "\r\n").encode())
    assert [plan.title for plan in load(["crlf.yaml"]).plans] == ["C"]


def test_ten_megabytes_are_one_sentence(folder):
    (folder / "big.yaml").write_text("# " + "x" * (10 << 20))
    loaded = load(["big.yaml"])
    assert codes(loaded) == ["too-large"]
    assert "10.0 MiB" in loaded.diagnostics[0].message


def test_an_empty_file(folder):
    (folder / "empty.yaml").write_text(" \n\n")
    assert codes(load(["empty.yaml"])) == ["empty-file"]


def test_a_file_that_may_not_be_read(folder, monkeypatch):
    def refuse(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything, so a mode would prove nothing
    loaded = load(["scenarios/one.yaml"])
    assert codes(loaded) == ["unreadable"]
    assert loaded.diagnostics[0].message == "the file cannot be read: permission denied"


def test_what_is_neither_file_nor_folder(folder):
    (folder / "loop.yaml").symlink_to("loop.yaml")
    assert codes(load(["loop.yaml"])) == ["unreadable"]
    assert codes(load(["\0.yaml"])) == ["no-such-file"]


def test_seeds(folder):
    path = folder / "scenarios" / "one.yaml"
    path.write_text(path.read_text() + "seed: 7\n")
    one, two = str(path), "scenarios/deep/two.yml"
    assert [plan.seed for plan in load([one, two], drawn_seed=5).plans] == [7, 5]
    assert [plan.seed for plan in load([one, two], seed=9, drawn_seed=5).plans] == [9, 9]


def test_color_is_only_color(folder):
    (folder / "bad.yaml").write_text("scenario: x\nclients: [a\n")
    loaded = load(["bad.yaml"])
    plain = render(loaded.diagnostics, color=False, sources=loaded.sources)
    painted = render(loaded.diagnostics, color=True, sources=loaded.sources)
    assert "\x1b[" in painted
    assert "\x1b[" not in plain
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain


def test_very_many_faults_are_counted(folder):
    (folder / "many.yaml").write_text("scenario: x\nclients: [a]\nsteps: [" + "x, " * 5000 + "]\n")
    loaded = load(["many.yaml"])
    text = render(loaded.diagnostics, color=False, sources=loaded.sources)
    assert text.count("error[") == 100
    assert text.endswith("... and 4,900 more in many.yaml\n")
    assert closing_line(loaded.diagnostics) == "many.yaml: 5,000 problems, nothing was started"


def test_every_scenario_of_the_repository_is_good():
    root = Path(__file__).parent.parent.parent
    loaded = load([str(root / "scenarios")])
    assert loaded.diagnostics == ()
    for plan in loaded.plans:
        assert plan.source.startswith("# yaml-language-server: $schema=../schema/scenario.v1.json\n")
