"""What was revoked stays so, is seen by who reads the file next, and goes when it matters no more."""

import sqlite3

import pytest

from chatsys.auth.revocations import RevocationError, Revocations, Revoked
from chatsys.auth.tokens import Claims

FAR = 10.0**11


def claims(user="alice", token="t", issued=100.0):
    return Claims(user, admin=False, token_id=token, kid="k", issued_at=issued, expires_at=FAR)


def test_none_and_no_file(tmp_path):
    assert Revocations(tmp_path).read() == Revoked()
    assert list(tmp_path.iterdir()) == []


def test_a_token_and_a_user(tmp_path):
    here, there = Revocations(tmp_path), Revocations(tmp_path)
    before = there.fingerprint()
    here.revoke_token("t", FAR)
    here.revoke_user("bob", 200.0)
    assert there.fingerprint() != before
    revoked = there.read()
    assert revoked.has(claims())
    assert not revoked.has(claims(token="u"))
    assert revoked.has(claims("bob", "u", issued=199.9))
    assert not revoked.has(claims("bob", "u", issued=200.0))


def test_a_later_moment_counts(tmp_path):
    revocations = Revocations(tmp_path)
    revocations.revoke_user("bob", 200.0)
    revocations.revoke_user("bob", 100.0)
    assert revocations.read().users == {"bob": 200.0}


def test_every_change_is_seen_however_quick(tmp_path):
    revocations = Revocations(tmp_path)
    seen = set()
    for number in range(20):
        revocations.revoke_token(f"t-{number}", FAR)
        seen.add(revocations.fingerprint())
    assert len(seen) == 20


def test_what_has_ended_by_itself_is_forgotten(tmp_path):
    revocations = Revocations(tmp_path)
    revocations.revoke_token("old", 1.0)
    revocations.revoke_token("new", FAR)
    assert revocations.read().tokens == {"new"}


def test_a_file_that_is_none(tmp_path):
    revocations = Revocations(tmp_path)
    revocations.path.write_bytes(b"nonsense" * 1000)
    for use in (revocations.read, lambda: revocations.revoke_token("t", FAR)):
        with pytest.raises(RevocationError, match=r"revocations\.sqlite3 cannot be used"):
            use()


def test_it_is_durable_before_it_is_answered(tmp_path):
    Revocations(tmp_path).revoke_token("t", FAR)
    connection = sqlite3.connect(tmp_path / "revocations.sqlite3")
    assert connection.execute("SELECT token_id FROM token").fetchall() == [("t",)]
    connection.close()
