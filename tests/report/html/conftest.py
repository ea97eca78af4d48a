"""One Chromium for all tests of a worker that look at pages."""

from __future__ import annotations

import pytest

from harness.report.html.render import render_page
from tests.report.html.browser import Browser
from tests.report.html.states import page_of


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def show_page(browser, tmp_path):
    """Opens a page and returns the browser."""

    def show_page(page, link="", **how):
        path = tmp_path / "index.html"
        path.write_text(render_page(page), encoding="utf-8")
        browser.open(path, link=link, **how)
        return browser

    return show_page


@pytest.fixture
def show(show_page):
    """Opens the page of a report and returns the browser."""
    return lambda row, link="", **how: show_page(page_of(row), link, **how)
