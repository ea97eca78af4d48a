"""What people are told to type next begins with what they started chatsim by."""

from __future__ import annotations

import pytest

from harness.report.typed import typed


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "chatsim report 'a run'"),
        ({"CHATSIM_DEV": "./dev"}, "./dev chatsim report 'a run'"),
        ({"CHATSIM_DEV": "/a clone/dev"}, "'/a clone/dev' chatsim report 'a run'"),
    ],
)
def test_by_what_chatsim_was_started(environ, said):
    assert typed(["chatsim", "report", "a run"], environ) == said
