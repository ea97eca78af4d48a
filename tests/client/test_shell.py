"""`chatsys send`, `poll` and `tail` as somebody types them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import pytest
from click.testing import CliRunner

from chatsys.cli.poll import poll
from chatsys.cli.send import send
from chatsys.cli.tail import tail
from chatsys.client import Client
from tests.client.real import real_server


async def begin(*words, **environment):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "chatsys.cli",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )


async def shell(*words, stdin="", **environment):
    """Run to the end; return (exit code, stdout, stderr)."""
    process = await begin(*words, **environment)
    async with asyncio.timeout(30):
        out, err = await process.communicate(stdin.encode())
    return process.returncode, out.decode(), err.decode()


def test_send_poll_and_tail(tmp_path):
    async def main():
        async with real_server(tmp_path) as server:
            async with Client(server.target, user="alice") as alice:
                await alice.create_room("lobby", members=["bob"])
            as_alice = {"CHATSYS_SERVER": server.target, "CHATSYS_USER": "alice"}
            as_bob = {**as_alice, "CHATSYS_USER": "bob"}
            assert await shell("send", "--room", "lobby", "--id", "a", "Hello", **as_alice) == (
                0,
                "lobby #2\n",
                "",
            )
            assert await shell("send", "--room", "lobby", "--id", "a", "Hello", **as_alice) == (
                0,
                "lobby #2 (stored before)\n",
                "",
            )
            code, out, err = await shell(
                "send", "--room", "lobby", "--json", "-", stdin="x\n\ny\x1b[2J\n", **as_alice
            )
            assert (code, err) == (0, "")
            assert [json.loads(line)["sequence"] for line in out.splitlines()] == [3, 4]

            code, out, err = await shell("poll", "--no-ack", "--max", "1", **as_bob)
            assert (code, out, err) == (0, "lobby #2 alice: Hello\n", "")
            code, out, err = await shell("poll", **as_bob)
            assert out == "lobby #2 alice: Hello\nlobby #3 alice: x\nlobby #4 alice: y\\x1b[2J\n"
            assert (code, err) == (0, "")
            assert await shell("poll", **as_bob) == (0, "", "")
            assert await shell("poll", "--room", "lobby", **as_alice) == (0, "", "")

            following = await begin("tail", "--json", **as_bob)
            for number in range(2):
                await shell("send", "--room", "lobby", f"news {number}", **as_alice)
            for number in range(2):
                async with asyncio.timeout(20):
                    line = json.loads(await following.stdout.readline())
                assert (line["text"], line["sender"]) == (f"news {number}", "alice")
            following.send_signal(signal.SIGINT)
            async with asyncio.timeout(20):
                assert await following.communicate() == (b"", b"")
            assert following.returncode == 130
            assert await shell("poll", **as_bob) == (0, "", "")  # what was printed counts as read

            await shell("send", "--room", "lobby", "last", **as_alice)
            assert await shell("tail", "--count", "1", **as_bob) == (0, "lobby #7 alice: last\n", "")

            refused = await shell("send", "--room", "cafe", "psst", **as_bob)
            assert refused[:2] == (1, "")
            assert refused[2].startswith("chatsys: PERMISSION_DENIED NOT_A_MEMBER: ")

    asyncio.run(asyncio.wait_for(main(), 120))


@pytest.mark.parametrize("words", [("send", "--room", "r", "x"), ("poll",), ("tail",)])
def test_nobody_there_is_a_sentence(words):
    async def main():
        code, out, err = await shell(*words, "--server", "127.0.0.1:1", "--user", "bob", "--timeout", "0.3")
        assert (code, out) == (3, "")
        # Which of the two is a matter of how busy the machine is: the last try ends with the time allowed.
        assert err.startswith(("chatsys: UNAVAILABLE: ", "chatsys: DEADLINE_EXCEEDED: "))
        assert err.count("\n") == 1

    asyncio.run(main())


@pytest.mark.parametrize("command", [send, poll, tail])
def test_help_has_examples(command):
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert f"chatsys {command.name} " in result.output.split("Examples:")[1]


@pytest.mark.parametrize(
    ("command", "words", "sentence"),
    [
        (send, ["--room", "r", "x"], "Missing option '--server'"),
        (send, ["--server", "here", "--user", "u", "--room", "r", "x"], "'here' is not HOST:PORT"),
        (send, ["--server", "h:1", "--room", "r", "x"], "Who are you? Give --user"),
        (send, ["--server", "h:1", "--user", "u", "--room", "r", "--id", "i", "-"], "--id names one message"),
        (poll, ["--server", "h:1", "--user", "u", "--wait", "soon"], "'soon' is not a number of seconds"),
        (tail, ["--server", "h:99999", "--user", "u"], "'h:99999' is not HOST:PORT"),
    ],
)
def test_wrong_usage_is_exit_2_with_a_remedy(command, words, sentence):
    result = CliRunner(env={"CHATSYS_SERVER": None, "CHATSYS_USER": None}).invoke(command, words)
    assert result.exit_code == 2
    assert sentence in result.output
