"""The stories, for the tests: `told` runs a test once for every one of them, `tell` makes one by its name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.report.model import RowReport
from tests.report.stories import STORIES
from tests.report.story import Story, a_plan


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `told` once for every story."""
    if "told" in metafunc.fixturenames:
        metafunc.parametrize("told", sorted(STORIES), indirect=True)


@pytest.fixture
def told(request: pytest.FixtureRequest) -> tuple[str, RowReport]:
    """(name, report) of one story."""
    return request.param, STORIES[request.param]()


@pytest.fixture
def tell() -> Callable[[str], RowReport]:
    """Makes the report of a story by its name."""
    return lambda name: STORIES[name]()


@pytest.fixture
def story() -> Callable[..., Story]:
    """Makes a new story."""
    return lambda **changes: Story(a_plan(**changes))
