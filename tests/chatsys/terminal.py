"""A terminal for a program that thinks it has one: what it draws is a screen of text, what one types are keys."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte

WITHIN = 20.0
KEYS = {
    "enter": "\r",
    "tab": "\t",
    "page-up": "\x1b[5~",
    "page-down": "\x1b[6~",
    "ctrl-c": "\x03",
    "ctrl-p": "\x10",
}


class Terminal:
    """One program in a terminal of its own."""

    def __init__(self, command, columns=90, rows=16):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "TZ": "UTC"}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def type(self, text="", key=""):
        os.write(self._master, (text + KEYS.get(key, "")).encode())

    def say(self, text):
        self.type(text, "enter")

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, wanted, *, gone=False):
        """Reads until the screen shows a text, or shows it no more."""
        return self.until_true(lambda text: (wanted in text) != gone, f"{wanted!r}{' to go' if gone else ''}")

    def until_true(self, test, what):
        deadline = time.monotonic() + WITHIN
        while not test(self.text()):
            left = deadline - time.monotonic()
            assert left > 0, f"waited {WITHIN} s for {what}; the screen is\n{self.text()}"
            if select.select([self._master], [], [], left)[0]:
                self._feed()
        return self.text()

    def end(self):
        """Reads until the program has ended; its exit code."""
        deadline = time.monotonic() + WITHIN
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end; the screen is\n{self.text()}"
            if select.select([self._master], [], [], 0.05)[0]:
                self._feed()
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def _feed(self):
        try:
            self._stream.feed(os.read(self._master, 65_536))
        except OSError:
            assert self.process.wait(WITHIN) is not None, "the terminal was closed"
