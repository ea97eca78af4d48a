"""Pages of `chatsim run`: which rows get one, where it is said, and that it is shown only when asked."""

from tests.e2e.test_could_not_run import QUICK
from tests.e2e.test_run_options import FAILS


def test_what_failed_has_a_page_and_its_path_is_the_last_word(chatsim, scenario):
    ran = chatsim("run", scenario(QUICK, "good.yaml"), scenario(FAILS, "bad.yaml"), "-j", "1")
    assert ran.code == 1
    page = ran.folder.resolve() / "bad" / "index.html"
    assert ran.out.splitlines()[-1] == f"  page       {page}"
    assert "which is not in this inbox" in page.read_text()
    assert not (ran.folder / "good" / "index.html").exists()
    index = (ran.folder / "index.html").read_text()
    assert '<a href="bad/index.html">bad</a>' in index
    assert ">good</td>" in index


def test_a_page_is_opened_when_asked_also_of_what_passed(chatsim, scenario, tmp_path, monkeypatch):
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    ran = chatsim("run", scenario(QUICK), "--open", "-q")
    assert ran.code == 0
    page = ran.folder.resolve() / "made" / "index.html"
    assert opened.read_text().strip() == page.as_uri()
    assert page.is_file()


def test_no_page_is_written_when_none_is_wanted(chatsim, scenario):
    ran = chatsim("run", scenario(FAILS), "--html", "none")
    assert ran.code == 1
    assert not list(ran.folder.rglob("index.html"))
    assert "index.html" not in ran.out
