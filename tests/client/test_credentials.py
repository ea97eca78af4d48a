"""What is shown of oneself, and when another token is fetched."""

import asyncio

import grpc
import pytest

from chatsys.client import Client, Outgoing, UnauthenticatedError
from chatsys.client.credentials import Credentials
from tests.client.scripted import Scripted, abort, serving


def test_a_token_before_a_name():
    assert Credentials("alice", None).metadata == (("chatsys-user", "alice"),)
    assert Credentials("alice", "t").metadata == (("authorization", "Bearer t"),)
    assert Credentials(None, None).metadata == ()


@pytest.mark.parametrize("reason", ["TOKEN_EXPIRED", "TOKEN_REVOKED", "TOKEN_INVALID"])
def test_another_token_is_fetched_when_one_is_good_no_more(reason):
    tokens = iter(["one", "two", "two"])
    credentials = Credentials(None, lambda: next(tokens))
    shown = credentials.metadata
    assert shown == credentials.metadata == (("authorization", "Bearer one"),)
    fault = UnauthenticatedError("", reason=reason)
    assert credentials.renew(fault, shown)
    assert credentials.metadata == (("authorization", "Bearer two"),)
    assert not credentials.renew(fault, credentials.metadata), "the same again would be refused again"


def test_two_calls_that_are_refused_with_one_token_fetch_another_once():
    tokens = iter(["one", "two"])
    credentials = Credentials(None, lambda: next(tokens))
    shown = credentials.metadata
    fault = UnauthenticatedError("", reason="TOKEN_EXPIRED")
    assert credentials.renew(fault, shown)
    assert credentials.renew(fault, shown), "the other call has a token to try with, too"
    assert credentials.metadata == (("authorization", "Bearer two"),)


def test_nothing_is_fetched_for_other_reasons_or_from_nowhere():
    tokens = iter(["one"])
    credentials = Credentials(None, lambda: next(tokens))
    assert not credentials.renew(UnauthenticatedError("", reason="TOKEN_MISSING"), ())
    assert not Credentials(None, "fixed").renew(UnauthenticatedError("", reason="TOKEN_EXPIRED"), ())


def test_what_cannot_be_shown_is_refused_at_once():
    with pytest.raises(ValueError, match="'Jürgen' is no user id"):
        Credentials("Jürgen", None)
    with pytest.raises(ValueError, match="the token is none") as caught:
        Credentials(None, "secret\n")
    assert "secret" not in str(caught.value)
    with pytest.raises(UnauthenticatedError, match="the token that its source gave is none") as refused:
        _ = Credentials(None, lambda: "secret\n").metadata
    assert "secret" not in str(refused.value)


def fails():
    raise OSError("/run/secret/token is not there")


@pytest.mark.parametrize("first", [None, "one"])
def test_a_source_that_fails_ends_calls_and_streams_with_a_reason(first):
    """None of them may wait for ever, and none ends with what is no `ChatError`."""

    async def expired(*_):
        await abort(_[-1], grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")

    async def ends(server, context):
        await expired(context)
        yield

    async def main():
        server = Scripted()
        server.sends, server.polls, server.streams, server.batches = [expired], [expired], [ends], [ends]
        tokens = iter([first] if first else [])
        async with (
            serving(server) as target,
            Client(target, token=lambda: next(tokens, None) or fails()) as client,
        ):
            out = [Outgoing("r", "x")]
            for call in (
                client.send("r", "x"),
                client.poll(),
                anext(client.receive()),
                client.send_batch(out),
            ):
                with pytest.raises(UnauthenticatedError, match="its source raised OSError") as caught:
                    await call
                assert caught.value.reason == "NO_TOKEN"

    asyncio.run(asyncio.wait_for(main(), 20))
