"""What callers send makes no long log lines, no lines of its own, and none that cost the server its time."""

import logging

import pytest

from chatsys.errors import Reason, Refusal
from chatsys.server import logs
from chatsys.server.observe import RequestEnd

REFUSED = RequestEnd("ChatService/SendMessage", False, "id-1", "alice", "", Refusal.field("x", "y"), 0.1, "")


def line_of(caplog, form, **changes):
    caplog.set_level(logging.INFO)
    caplog.clear()
    logs.request_logger("failed")(REFUSED._replace(**changes))
    formatter = logs._json_formatter() if form == "json" else logs._Text()
    return formatter.format(caplog.records[-1])


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("field", ["room_id", "user_id"])
def test_a_name_is_one_word_of_one_line_whatever_it_holds(caplog, form, field):
    line = line_of(caplog, form, **{field: "r\n2026-01-01 INFO chatsys.request: request status=OK \x1b[2J"})
    assert "\n" not in line
    assert "\x1b" not in line
    assert len(line_of(caplog, form, **{field: "x" * 4_000_000})) < 1_000
    assert "lobby" in line_of(caplog, form, **{field: "lobby"})


@pytest.mark.parametrize(("reason", "said"), [(Reason.CALL_CANCELLED, 0), (Reason.SESSION_REPLACED, 1)])
def test_a_stream_that_its_reader_ends_has_not_failed(caplog, reason, said):
    caplog.set_level(logging.INFO)
    logs.request_logger("failed")(REFUSED._replace(lasts=True, refusal=Refusal(reason, "gone"), seconds=9.0))
    assert len(caplog.records) == said


def test_looking_for_tokens_takes_no_longer_than_reading():
    """With every dash a new beginning, it would take a quarter of an hour."""
    text = "a-" * 500_000
    assert logs.blot(text) == text
    assert (
        logs.blot(f"-{'a' * 9}.{'b' * 9}.{'c' * 16}, x.{'a' * 9}.{'b' * 9}.{'c' * 16}")
        == "(a token), x.(a token)"
    )
