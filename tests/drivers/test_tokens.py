"""What the driver for chatsys shows: a token of each kind, or a name where there are no keys."""

import time

import pytest

from chatsys.auth import keys
from chatsys.auth.revocations import Revocations
from chatsys.auth.tokens import verify
from chatsys.errors import Refusal
from harness.drivers.chatsys_tokens import change_keys, shown
from harness.drivers.request import RequestError


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.delenv("CHATSYS_KEYS", raising=False)
    keys.create(tmp_path / "keys")
    return {"data": str(tmp_path)}


def judged(token, server, tmp_path):
    """How a server with these files takes a token: a reason, or what it says."""
    try:
        claims = verify(token, keys.load(tmp_path / "keys"), "chatsys", time.time())
    except Refusal as refusal:
        return str(refusal.reason)
    return "TOKEN_REVOKED" if Revocations(tmp_path).read().has(claims) else claims


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("forged", "TOKEN_INVALID"),
        ("expired", "TOKEN_EXPIRED"),
        ("revoked", "TOKEN_REVOKED"),
        ("other_audience", "TOKEN_INVALID"),
    ],
)
def test_each_kind_is_what_it_says(server, tmp_path, kind, reason):
    name, token = shown("alice", "client", {"kind": kind}, server)
    assert name is None
    assert judged(token, server, tmp_path) == reason


@pytest.mark.parametrize(("role", "admin"), [("client", False), ("harness", True)])
def test_a_good_one(server, tmp_path, role, admin):
    _, token = shown("alice", role, {}, server)
    claims = judged(token, server, tmp_path)
    assert (claims.user_id, claims.admin) == ("alice", admin)


def test_without_keys_a_name(tmp_path, monkeypatch):
    monkeypatch.delenv("CHATSYS_KEYS", raising=False)
    assert shown("alice", "client", {}, {"data": str(tmp_path)}) == ("alice", None)
    assert shown("alice", "client", {}, {}) == ("alice", None)
    assert shown("alice", "client", {"kind": "missing"}, {}) == (None, None)
    assert shown("alice", "client", {"kind": "literal", "text": "x"}, {}) == (None, "x")
    with pytest.raises(RequestError, match="set CHATSYS_KEYS"):
        shown("alice", "client", {"kind": "expired"}, {})


def test_keys_that_somebody_names(server, tmp_path, monkeypatch):
    monkeypatch.setenv("CHATSYS_KEYS", str(tmp_path / "keys"))
    assert judged(shown("alice", "client", {}, {})[1], server, tmp_path).user_id == "alice"
    with pytest.raises(RequestError, match="started here"):
        shown("alice", "client", {"kind": "revoked"}, {})


def test_keys_change_while_a_server_runs(server, tmp_path, monkeypatch):
    _, first = shown("alice", "client", {}, server)
    change_keys("add", server)
    _, second = shown("alice", "client", {}, server)
    assert [judged(token, server, tmp_path).user_id for token in (first, second)] == ["alice", "alice"]
    change_keys("retire", server)
    assert judged(first, server, tmp_path) == "TOKEN_INVALID"
    assert judged(second, server, tmp_path).user_id == "alice"
    change_keys("retire", server)
    assert judged(second, server, tmp_path).user_id == "alice", "the newest stays"
    monkeypatch.setenv("CHATSYS_KEYS", str(tmp_path / "keys"))
    with pytest.raises(RequestError, match="unset CHATSYS_KEYS"):
        change_keys("retire", server)


def test_there_are_no_keys_to_change(tmp_path, monkeypatch):
    monkeypatch.delenv("CHATSYS_KEYS", raising=False)
    with pytest.raises(RequestError, match="where the server keeps its own"):
        change_keys("add", {"data": str(tmp_path)})
