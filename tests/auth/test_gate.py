"""The gate by itself: what it starts with, and what it keeps in mind."""

import logging
import subprocess
import sys
from typing import Any, cast

import pytest

from chatsys.auth import keys
from chatsys.auth.revocations import Revocations
from chatsys.errors import Reason, Refusal
from chatsys.server import gate as gates
from chatsys.server.call import Call

SERVE = [sys.executable, "-m", "chatsys.server.main", "--auth", "tokens"]


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda folder: (folder / "keys").mkdir(), "no key is in"),
        (lambda folder: (folder / "revocations.sqlite3").write_bytes(b"x" * 5000), "cannot be used"),
    ],
)
def test_it_does_not_start_without_what_it_believes_by(tmp_path, prepare, sentence):
    prepare(tmp_path)
    ended = subprocess.run(
        [*SERVE, "--port", "0", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def call_with(token):
    class Context:
        def invocation_metadata(self):
            return (("authorization", f"Bearer {token}"),)

    return Call(cast("Any", Context()), ())


def test_what_is_remembered_of_tokens_is_bounded(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL)
    keys.create(tmp_path / "keys")
    monkeypatch.setattr(gates, "MAX_KNOWN", 3)
    gate = gates.TokenGate(tmp_path / "keys", tmp_path, "chatsys", 60.0)
    for number in range(10):
        gate.identify(call_with(gate.mint(f"user-{number}")[0]), required=True)
        assert len(gate._known) <= 3


def test_a_key_that_everybody_may_read_is_told_of(tmp_path, caplog):
    path = keys.create(tmp_path / "keys", "HS256")
    path.chmod(0o644)
    gates.TokenGate(tmp_path / "keys", tmp_path, "chatsys", 60.0)
    assert f"everybody on this machine may read the key {path}" in caplog.text


def test_a_revocation_holds_in_time_also_when_the_timer_is_late(tmp_path):
    keys.create(tmp_path / "keys")
    now = [1_800_000_000.0]
    gate = gates.TokenGate(tmp_path / "keys", tmp_path, "chatsys", 60.0, clock=lambda: now[0])
    token, claims = gate.mint("alice")
    gate.identify(call_with(token), required=True)
    assert claims is not None
    Revocations(tmp_path).revoke_token(claims.token_id, claims.expires_at)
    now[0] += gates.REFRESH
    with pytest.raises(Refusal) as refused:  # nothing has started the timer
        gate.identify(call_with(token), required=True)
    assert refused.value.reason is Reason.TOKEN_REVOKED
