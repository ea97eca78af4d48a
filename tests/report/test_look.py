"""When there is colour, and when lines are redrawn."""

from __future__ import annotations

import io

import pytest

from harness.report.look import Look, look_of, wants_color, wants_redraw


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "flag", "on_terminal", "in_file"),
    [
        ({}, "auto", True, False),
        ({"TERM": "xterm"}, "auto", True, False),
        ({"TERM": "dumb"}, "auto", False, False),
        ({"NO_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": "0"}, "auto", False, False),  # no-color.org: any value but the empty one
        ({"NO_COLOR": ""}, "auto", True, False),
        ({"FORCE_COLOR": "1"}, "auto", True, True),
        ({"FORCE_COLOR": "3"}, "auto", True, True),
        ({"FORCE_COLOR": "0"}, "auto", True, False),
        ({"FORCE_COLOR": ""}, "auto", True, False),
        ({"CLICOLOR_FORCE": "1"}, "auto", True, True),
        ({"CLICOLOR_FORCE": "0"}, "auto", True, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, "auto", True, True),
        ({"FORCE_COLOR": "1", "CI": "true"}, "auto", True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", False, False),
        ({"CI": "true"}, "auto", False, False),
        ({"CI": "false"}, "auto", True, False),
        ({"NO_COLOR": "1", "TERM": "dumb", "CI": "1"}, "always", True, True),
        ({"FORCE_COLOR": "1"}, "never", False, False),
    ],
)
def test_colour(environ, flag, on_terminal, in_file):
    assert wants_color(Screen(), environ, flag) is on_terminal
    assert wants_color(io.StringIO(), environ, flag) is in_file


@pytest.mark.parametrize(
    ("environ", "redrawn"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, True),
        ({"CI": "1"}, False),
        ({"CI": "0"}, True),
        ({"TERM": "dumb"}, False),
    ],
)
def test_redrawing(environ, redrawn):
    assert wants_redraw(Screen(), environ) is redrawn
    assert not wants_redraw(io.StringIO(), environ)


def test_the_look_of_a_stream():
    ascii_file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert look_of(Screen(), {}, columns=100) == Look(color=True, width=100, ascii=False)
    assert look_of(ascii_file, {}, columns=500) == Look(color=False, width=120, ascii=True)
    assert look_of(Screen(), {}, columns=10).width == 60


def test_paint_only_in_colour():
    assert Look().paint("x", "bad") == "x"
    assert Look(color=True).paint("x", "bad") == "\x1b[31mx\x1b[0m"
