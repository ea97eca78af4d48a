"""What people type and pipe that is none, and what others wrote that must not reach a terminal as it is."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest
from click.testing import CliRunner

from chatsys.cli.send import send
from chatsys.client import Client
from tests.client.real import real_server

NOBODY = ["--server", "127.0.0.1:1"]


def run(command, *words, stdin=None):
    result = CliRunner(env={"CHATSYS_SERVER": None, "CHATSYS_USER": None}).invoke(command, words, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("words", "stdin", "sentence"),
    [
        (["--user", "Jürgen", "--room", "r", "x"], None, "'Jürgen' is no user id: 1 to 128 characters"),
        (["--user", "Ann Bell", "--room", "r", "x"], None, "'Ann Bell' is no user id"),
        (["--token", "schlüssel", "--room", "r", "x"], None, "What was given as --token is none"),
        (
            ["--user", "a", "--room", "r", "-"],
            b"one\n\xff\n",
            "Line 2 of standard input is not UTF-8; nothing was",
        ),
        (["--user", "a", "--room", "r", "x\udcff"], None, r"'x\udcff' is not UTF-8"),
        (["--user", "a", "--room", "r\udcff", "x"], None, r"'r\udcff' is not UTF-8"),
    ],
)
def test_what_cannot_be_sent_is_wrong_usage(words, stdin, sentence):
    code, output = run(send, *NOBODY, *words, stdin=stdin)
    assert code == 2
    assert sentence in output
    assert "schlüssel" not in output


async def shell(*words, stdin=b"", **environment):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "chatsys.cli", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    async with asyncio.timeout(30):
        out, _ = await process.communicate(stdin)
    return process.returncode, out


def test_a_line_is_what_ends_with_a_line_break_and_names_are_shown_in_one_line(tmp_path):
    async def main():
        async with real_server(tmp_path) as server, Client(server.target, user="alice") as alice:
            await alice.create_room("lobby", display_name="Lobby\x1b[2J\nroot", members=["bob"])
            as_bob = ("--server", server.target, "--user", "bob")
            code, out = await shell(
                "send", *as_bob, "--room", "lobby", "-", stdin="a\u2028b\x0cc\r\n\r\nd".encode()
            )
            assert (code, out) == (0, b"lobby #2\nlobby #3\n")
            polled = await alice.poll()
            assert [m.content for d in polled.deltas for m in d.messages] == ["a\u2028b\x0cc".encode(), b"d"]

            await alice.send("lobby", "\N{WAVING HAND SIGN}")
            latin = await shell("poll", *as_bob, PYTHONIOENCODING="latin-1")
            assert latin == (0, b"lobby #4 alice: \\U0001f44b\n")

            assert await shell("rooms", *as_bob) == (0, b"lobby (Lobby\\x1b[2J\\nroot): 0 unread\n")
            luis = (await alice.register("Luis\x07\nroot: admin")).user.user_id
            await alice.add_member("lobby", luis)
            code, out = await shell("members", *as_bob, "lobby")
            assert code == 0
            assert f"\n{luis} (Luis\\x07\\nroot: admin): writer\n" in out.decode()

    asyncio.run(asyncio.wait_for(main(), 60))
