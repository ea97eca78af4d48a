"""The name that a caller says with a call: stored with it, and no reason to refuse it when it cannot be."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chatsys.errors import Reason, Refusal
from chatsys.server.users import UserService


@pytest.mark.parametrize(
    ("fault", "let_in"),
    [
        (Refusal(Reason.STORE_FULL, "no room", retry_after=1.0), True),
        (Refusal.store_unavailable("not now"), True),
        (Refusal(Reason.LOG_CORRUPT, "damaged"), False),
    ],
)
def test_a_name_that_cannot_be_stored_keeps_nobody_from_reading(fault, let_in):
    class House:
        store = SimpleNamespace(reads=lambda: SimpleNamespace(user=lambda _: None))

        async def ask(self, *_):
            raise fault

    async def main():
        gate = SimpleNamespace(identify=lambda *_, **__: None)
        users = UserService(cast("Any", House()), cast("Any", gate), registration_open=True)
        call = cast("Any", SimpleNamespace(user_id="alice", display_name="Alice"))
        if let_in:
            await users.admit(call, required=True)
            return
        with pytest.raises(Refusal):
            await users.admit(call, required=True)

    asyncio.run(main())
