"""What one invocation asks of every run, and how a run says that it could not take place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.run.command import Address, address_of
from harness.run.own import OWN_SERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How plans are played."""

    server: str | None = None
    """Server command, its words filled in (see `command.WORDS`), or the address of a running server as
    HOST:PORT. None forks chatsys."""
    server_module: str = OWN_SERVER
    """The module that is forked when there is no server command."""
    server_words: tuple[str, ...] = ()
    """What it is told before the words of every server."""
    server_typed: str = ""
    """The server command that starts the same as these two, for whoever plays it again; empty for chatsys."""
    driver: str | None = None
    """Driver command. None forks the driver for chatsys."""
    speed: float | None = 1.0
    """Scenario seconds per real second; None plays at max: waiting in which nothing can happen is left out."""
    tolerates_leaks: bool = False
    """Whether what the server leaks is reported only, and does not fail the run."""
    ready_within_s: float = 10.0
    """How long the server may take to get ready."""

    @property
    def address(self) -> Address | None:
        """The running server to use; None when chatsim starts its own."""
        return address_of(self.server)


def parse_speed(text: str) -> float | None:
    """Read a speed: a factor such as `10x` or `0.5x`, or `max`, which is None.

    Raises:
        ValueError: it is neither; the text is a sentence.
    """
    if text == "max":
        return None
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0.001 <= factor <= 1_000_000:
        raise ValueError(f"{text!r} is no speed: write a factor such as 10x, or max")
    return factor


class CouldNotRunError(Exception):
    """The scenario could not be played, or not to the end, for a reason that says nothing of the server's truth.

    Attributes:
        sentence: what happened, naming the process.
        process: whose last lines help; empty when none is to blame.
        command: how it was started.
        ending: how it ended, or that it still ran.
        last_lines: what it said last, oldest first.
        help: what to do about it.
    """

    def __init__(
        self,
        sentence: str,
        *,
        process: str = "",
        command: str = "",
        ending: str = "",
        last_lines: tuple[str, ...] = (),
        help: str = "",  # noqa: A002 - the word of the report
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.process = process
        self.command = command
        self.ending = ending
        self.last_lines = last_lines
        self.help = help

    def to_json(self) -> dict[str, Any]:
        """Return what env.json keeps of it."""
        return {
            "sentence": self.sentence,
            "process": self.process,
            "command": self.command,
            "exit": self.ending,
            "last_lines": list(self.last_lines),
            "help": self.help,
        }
