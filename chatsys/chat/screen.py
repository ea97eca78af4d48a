"""What ``chatsys chat`` looks like, and its keys. Draws the model, knows nothing of the server."""

from __future__ import annotations

import time
from typing import Final

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from chatsys.chat.commands import typed
from chatsys.chat.model import Line, Mark, Model
from chatsys.chat.session import Session

ROOMS_WIDTH: Final = 20
"""Columns of the list of rooms, where a quarter of the terminal is as much."""
NARROW: Final = 20
"""Columns of text below which it stands under its sender, not behind."""
STYLE: Final = Style.from_dict(
    {
        "rooms": "bg:default",
        "current": "reverse",
        "unread": "bold",
        "sender": "bold ansicyan",
        "own": "bold ansigreen",
        "time": "ansibrightblack",
        "note": "italic ansibrightblack",
        "failed": "bold ansired",
        "status": "reverse",
    }
)


class Screen:
    """The application of prompt_toolkit over one model.

    Args:
        model: What to draw.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.session: Session | None = None
        self._scrolled = 0
        self._input = Buffer(multiline=False, accept_handler=self._accept)
        self._lines = Window(FormattedTextControl(self._draw_lines), wrap_lines=False, style="class:lines")
        rooms = Window(FormattedTextControl(self._draw_rooms), width=self._rooms_width, style="class:rooms")
        typing = BufferControl(self._input, input_processors=[BeforeInput(self._prompt)])
        body = HSplit(
            [
                VSplit([rooms, Window(width=1, char="│"), self._lines]),
                Window(FormattedTextControl(self._draw_status), height=1, style="class:status"),
                Window(typing, height=1),
            ]
        )
        self.application: Application[None] = Application(
            Layout(body, focused_element=typing), key_bindings=self._keys(), style=STYLE, full_screen=True
        )

    def redraw(self) -> None:
        """Draws when there is time for it."""
        self.application.invalidate()

    def _accept(self, buffer: Buffer) -> bool:
        self._scrolled = 0
        if self.session is not None:
            typed(self.session, buffer.text)
            self.redraw()
        buffer.document = Document()
        return True  # keeps the focus, and the text is taken away above

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-c")
        @keys.add("c-d")
        def _quit(event: KeyPressEvent) -> None:
            event.app.exit()

        @keys.add("tab")
        @keys.add("c-n")
        def _next(_event: KeyPressEvent) -> None:
            self._look(1)

        @keys.add("s-tab")
        @keys.add("c-p")
        def _before(_event: KeyPressEvent) -> None:
            self._look(-1)

        @keys.add("pageup")
        def _up(_event: KeyPressEvent) -> None:
            self._scroll(self._height() - 1)

        @keys.add("pagedown")
        def _down(_event: KeyPressEvent) -> None:
            self._scroll(1 - self._height())

        return keys

    def _look(self, step: int) -> None:
        self._scrolled = 0
        if self.session is not None:
            self.session.look(step)

    def _scroll(self, by: int) -> None:
        rows = len(self._rows())
        top = max(0, rows - self._height())
        self._scrolled = min(max(0, self._scrolled + by), top)
        if self._scrolled == top and self.session is not None:
            self.session.scroll_back()
        self.redraw()

    def _height(self) -> int:
        return max(2, self.application.output.get_size().rows - 2)

    def _rooms_width(self) -> int:
        return min(ROOMS_WIDTH, max(8, self.application.output.get_size().columns // 4))

    def _width(self) -> int:
        return max(10, self.application.output.get_size().columns - self._rooms_width() - 1)

    def _prompt(self) -> str:
        """Where what is typed goes to."""
        room = self.model.room
        return "> " if room is None else f"{_cut(room.title, ROOMS_WIDTH)}> "

    def _draw_rooms(self) -> StyleAndTextTuples:
        drawn: StyleAndTextTuples = []
        width = self._rooms_width()
        for room in self.model.rooms.values():
            count = "1000+" if room.unread >= 1_000 else str(room.unread) if room.unread else ""
            title = _cut(("×" if room.ended else "") + room.title, width - len(count) - 2)
            gap = " " * (width - 1 - get_cwidth(title) - len(count))
            style = "current" if room.room_id == self.model.current else "unread" if room.unread else ""
            drawn.append((f"class:{style}" if style else "", f"{title}{gap}{count}"))
            drawn.append(("", "\n"))
        return drawn

    def _draw_lines(self) -> StyleAndTextTuples:
        rows = self._rows()
        end = len(rows) - self._scrolled
        shown = rows[max(0, end - self._height()) : end]
        drawn: StyleAndTextTuples = [("", "\n")] * (self._height() - len(shown))
        for index, row in enumerate(shown):
            drawn.extend(row)
            if index < len(shown) - 1:
                drawn.append(("", "\n"))
        return drawn

    def _rows(self) -> list[StyleAndTextTuples]:
        room = self.model.room or self.model.lobby
        rows = []
        for line in (*room.lines, *room.unsent):
            rows += self._draw_line(line)
        return rows

    def _draw_line(self, line: Line) -> list[StyleAndTextTuples]:
        if not line.sender:
            first, *rest = _wrap(line.text, self._width() - 2)
            said = [f"— {first}", *(f"  {part}" for part in rest)]
            return [[("class:note", part)] for part in said]
        own = line.sender == self.model.user
        clock = time.strftime("%H:%M", time.localtime(line.seconds)) if line.seconds else "     "
        who = _cut(_plain(self.model.name(line.sender)), 24)
        head: StyleAndTextTuples = [
            ("class:time", f"{clock} "),
            ("class:failed" if line.mark is Mark.FAILED else "class:time", f"{line.mark.value} "),
            ("class:own" if own else "class:sender", f"{who}: "),
        ]
        indent = 8 + get_cwidth(who) + 2
        if self._width() - indent < NARROW:
            below = _wrap(_plain(line.text), self._width() - 2)
            rows: list[StyleAndTextTuples] = [head]
            rows.extend([("", f"  {part}")] for part in below)
            return rows
        first, *rest = _wrap(_plain(line.text), self._width() - indent)
        rows = [[*head, ("", first)]]
        rows.extend([("", " " * indent + part)] for part in rest)
        return rows

    def _draw_status(self) -> StyleAndTextTuples:
        scrolled = " · scrolled back, PageDown" if self._scrolled else ""
        return [("class:status", f" {self.model.user} · {self.model.status}{scrolled} · /help ")]


def _plain(text: str) -> str:
    """What somebody else wrote must not move our cursor or ring our bell."""
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)


def _cut(text: str, width: int) -> str:
    while get_cwidth(text) > width:
        text = text[:-2] + "…"
    return text


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most this width; words stay whole where they fit."""
    rows: list[str] = []
    for paragraph in text.split("\n"):
        row = ""
        for word in paragraph.split(" "):
            joined = f"{row} {word}" if row else word
            if get_cwidth(joined) <= width:
                row = joined
                continue
            if row:
                rows.append(row)
            row = word
            while get_cwidth(row) > width:
                fitting = width
                while get_cwidth(row[:fitting]) > width:
                    fitting -= 1
                rows.append(row[:fitting])
                row = row[fitting:]
        rows.append(row)
    return rows
