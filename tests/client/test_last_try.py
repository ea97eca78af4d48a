"""What a call says that was tried several times: how the last try ended, if that had time to find out."""

import asyncio

import pytest

from chatsys.client.errors import DeadlineExceededError, UnavailableError
from chatsys.client.transport import TELLING_S, Expectation, Transport


@pytest.mark.parametrize(("last", "told"), [(TELLING_S / 2, UnavailableError), (5.0, DeadlineExceededError)])
def test_a_last_try_without_time_does_not_hide_why_the_one_before_failed(monkeypatch, last, told):
    async def main():
        transport = Transport("127.0.0.1:1", user="bob", token=None, expect=Expectation())
        tries = []

        async def once(_method, _request, timeout, _shown):
            tries.append(timeout)
            if len(tries) == 1:
                raise UnavailableError("connection refused")
            raise DeadlineExceededError("Deadline Exceeded")

        monkeypatch.setattr(transport, "_once", once)
        monkeypatch.setattr(transport, "may_retry", lambda _fault, _shown: len(tries) < 2)
        try:
            with pytest.raises(told):
                await transport.call(None, None, within=60.0, try_timeout=last)
        finally:
            await transport.close()
        assert len(tries) == 2

    asyncio.run(main())
