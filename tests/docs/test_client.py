"""Every example of docs/client.md, run as it stands against a real server."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from chatsys.client import Client, Place, Tls
from tests.chatsys.certificates import Authority
from tests.chatsys.conftest import SERVE, Served, begin

PATIENCE = 60.0
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "client.md"
BLOCKS = re.findall(
    r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
)


def examples() -> dict[str, Any]:
    """What each block defines, all of them together; each block stands for itself."""
    found: dict[str, Any] = {}
    for block in BLOCKS:
        names: dict[str, Any] = {"__name__": "page"}
        exec(compile(block, str(PAGE), "exec"), names)
        here = {name: value for name, value in names.items() if getattr(value, "__module__", "") == "page"}
        assert len(here) == 1, f"one function a block, not {sorted(here)}"
        assert not set(here) & set(found)
        found |= here
    return found


@pytest.fixture
def page() -> dict[str, Any]:
    return examples()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts a server, which ends in good order when asked to after the test."""
    with ExitStack() as ending:

        def start(command: Sequence[str] = SERVE) -> Served:
            served = begin(list(command), tmp_path / "data")
            assert served.process.stdout is not None
            ending.callback(served.process.stdout.close)
            ending.callback(served.kill)  # which one that has ended takes no notice of
            ending.callback(lambda: _ended(served))
            return served

        yield start


def _ended(served: Served) -> None:
    assert served.stop() == 0


def test_every_example(page, serving):
    served = serving()

    async def play():
        assert "epoch" in await page.pop("hello")(served.address)
        luis = await page.pop("register")(served.address, "Luis")
        assert (await luis.get_user()).display_name == "Luis"
        await luis.close()
        alice = page.pop("patient")(served.address)
        async with (
            alice,
            Client(served.address, user="bob") as bob,
            Client(served.address, user="eve") as eve,
        ):
            names = await page.pop("rooms")(alice)
            assert {"team", "square"} < set(names)
            sequences = await page.pop("send")(alice)
            assert len(sequences) == 100
            assert await page.pop("first")(bob, 3) == ["Hello!", "line 0", "line 1"]
            # What was handed over comes to nobody twice in one process, acknowledged or not.
            assert await page.pop("work")(bob, 98) == sequences[2:]
            careful = page.pop("careful")
            assert await careful(alice, "team", "more") == "sent"
            assert await careful(eve, "team", "let me in") == "NOT_A_MEMBER"
            assert await careful(alice, "no room id", "x") == "surely not sent"
            assert await page.pop("for_a_moment")(bob) >= 1
            last = await alice.send("team", "the last")
            said: list[str] = []
            heard = asyncio.Event()

            def say(text: str) -> None:
                said.append(text)
                heard.set()

            watching = asyncio.create_task(page.pop("watch")(bob, say))
            async with asyncio.timeout(20):
                await heard.wait()
                assert "the last" in said
                heard.clear()
                await alice.remove_member("team", "bob")
                await heard.wait()
            assert said[-1] == "you are no longer in team"
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            assert await page.pop("nothing_more")(eve, last.position)
        assert isinstance(await page.pop("resume")(served.address), Place)

    asyncio.run(asyncio.wait_for(play(), PATIENCE))
    assert set(page) == {"secure"}, "every example is played"


def test_the_one_that_is_secure(page, serving, tmp_path):
    authority = Authority(tmp_path)
    cert, key = authority.issue("server")
    options = ["--auth", "tokens", "--registration", "open", "--tls-cert", str(cert), "--tls-key", str(key)]
    served = serving([*SERVE, *options])
    tls = Tls.read(str(authority.ca))

    async def play():
        async with Client(served.address, tls=tls) as nobody:
            made = await nobody.register("Luis")
        (tmp_path / "token").write_text(made.token + "\n")
        async with page["secure"](served.address, tmp_path / "token", authority.ca) as client:
            assert (await client.get_user()).user_id == made.user.user_id

    asyncio.run(asyncio.wait_for(play(), PATIENCE))
