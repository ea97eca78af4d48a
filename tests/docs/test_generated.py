"""Pages that are made from tables are fresh, and the site has every page."""

from __future__ import annotations

import runpy
import subprocess
import sys

import pytest
from click.testing import CliRunner

from chatsys.server import settings_page
from harness.cli import exit_page
from harness.cli.commands import chatsim
from harness.cli.exit_codes import EPILOG, MEANINGS, RANK, ExitCode
from tests.docs.test_pages import DOCS, targets

ROOT = DOCS.parent


@pytest.mark.parametrize(
    ("page", "module"), [("exit-codes.md", exit_page), ("configuration.md", settings_page)]
)
def test_a_page_is_made_from_its_table(page, module):
    fresh = f"python -m {module.__name__} > docs/{page}"
    assert (DOCS / page).read_text() == module.render(), fresh


def test_the_page_of_the_gallery_is_fresh():
    printed = CliRunner().invoke(chatsim, ["selftest", "--list", "--md"]).output
    assert (DOCS / "gallery.md").read_text() == printed, "chatsim selftest --list --md > docs/gallery.md"


def test_every_exit_code_has_a_meaning_a_rank_and_a_word_in_the_readme():
    assert set(MEANINGS) == set(RANK) == set(ExitCode)
    readme = (ROOT / "README.md").read_text()
    for code in ExitCode:
        assert f"| {code.value} | " in readme
        assert f" {code.value} " in EPILOG


def test_the_contents_of_the_site_are_the_sections_of_the_index():
    conf = runpy.run_path(str(DOCS / "conf.py"))
    index = DOCS / "index.md"
    told = conf["contents"](index.read_text())
    listed = {line for line in told.splitlines() if line.startswith("/")}
    linked = {f"/{file.relative_to(ROOT).with_suffix('')}" for file, _ in targets(index)}
    assert listed == linked
    assert told.count(":caption: ") == index.read_text().count("\n## ")


def test_asking_for_the_page_without_the_list_is_a_mistake():
    ran = CliRunner().invoke(chatsim, ["selftest", "--md"])
    assert ran.exit_code == 2
    assert "--md is for --list" in ran.output


def test_a_default_that_differs_from_machine_to_machine_is_told_in_words():
    program = "from chatsys.server.settings_page import render; print(render(), end='')"
    elsewhere = {"HOME": "/elsewhere", "XDG_DATA_HOME": "/far", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=elsewhere, capture_output=True, text=True, check=True
    )
    assert done.stdout == (DOCS / "configuration.md").read_text()
