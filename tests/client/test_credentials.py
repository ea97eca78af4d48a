"""What is shown of oneself, and when another token is fetched."""

import pytest

from chatsys.client.credentials import Credentials
from chatsys.client.errors import UnauthenticatedError


def test_a_token_before_a_name():
    assert Credentials("alice", None).metadata == (("chatsys-user", "alice"),)
    assert Credentials("alice", "t").metadata == (("authorization", "Bearer t"),)
    assert Credentials(None, None).metadata == ()


@pytest.mark.parametrize("reason", ["TOKEN_EXPIRED", "TOKEN_REVOKED", "TOKEN_INVALID"])
def test_another_token_is_fetched_when_one_is_good_no_more(reason):
    tokens = iter(["one", "two", "two"])
    credentials = Credentials(None, lambda: next(tokens))
    assert credentials.metadata == credentials.metadata == (("authorization", "Bearer one"),)
    fault = UnauthenticatedError("", reason=reason)
    assert credentials.renew(fault)
    assert credentials.metadata == (("authorization", "Bearer two"),)
    assert not credentials.renew(fault), "the same again would be refused again"


def test_nothing_is_fetched_for_other_reasons_or_from_nowhere():
    tokens = iter(["one"])
    credentials = Credentials(None, lambda: next(tokens))
    assert not credentials.renew(UnauthenticatedError("", reason="TOKEN_MISSING"))
    assert not Credentials(None, "fixed").renew(UnauthenticatedError("", reason="TOKEN_EXPIRED"))
