"""Retention goes on whatever happens to one pass of it, and says what does not work once."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, cast

from chatsys.errors import Refusal
from chatsys.server import trimming


def passes(monkeypatch, *outcomes):
    """Runs so many passes, each with the outcome it is to have."""
    left = list(outcomes)
    done = asyncio.Event()

    class Scripted(trimming.Trimmer):
        async def _pass(self):
            if not left:
                done.set()
                return
            outcome = left.pop(0)
            if outcome is not None:
                raise outcome

    async def run():
        monkeypatch.setattr(trimming, "PAUSE", 0.0)
        task = asyncio.create_task(Scripted(cast("Any", SimpleNamespace())).run())
        async with asyncio.timeout(10):
            ended, _ = await asyncio.wait(
                (task, asyncio.create_task(done.wait())), return_when=asyncio.FIRST_COMPLETED
            )
        assert task not in ended, "no pass ends those after it"
        task.cancel()
        await asyncio.wait((task,))

    asyncio.run(run())


def test_a_pass_that_breaks_does_not_end_those_after_it(monkeypatch, caplog):
    passes(monkeypatch, ValueError("a bug"), None)
    assert "ValueError: a bug" in caplog.text


def test_what_does_not_work_is_said_once(monkeypatch, caplog):
    caplog.set_level(logging.WARNING)
    full, damaged = Refusal.store_unavailable("no room"), Refusal.store_unavailable("damaged")
    passes(monkeypatch, full, full, full, damaged, damaged, None, damaged)
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [
        "no room",
        "damaged",
        "damaged",
    ]
