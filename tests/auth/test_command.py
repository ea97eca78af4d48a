"""`chatsys token` as one uses it, and what it says to those who use it wrongly."""

import base64
import json

import pytest
from click.testing import CliRunner

from chatsys.auth import keys
from chatsys.auth.revocations import Revocations
from chatsys.cli.token import token as group

ODD = ({"alg": "HS256"}, {"jti": "odd", "exp": "soon"})
"""Header and payload of a token whose end is no time."""


@pytest.fixture
def chatsys(tmp_path):
    def run(*words, given=None, code=0):
        result = CliRunner().invoke(
            group, [*words, "--data", str(tmp_path)], input=given, env={"CHATSYS_TOKEN": "x"}
        )
        assert result.exit_code == code, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return run


def test_from_key_to_revocation(chatsys):
    chatsys("new-key")
    made = json.loads(chatsys("create", "alice", "--admin", "--lifetime", "1h", "--json").stdout)
    seen = chatsys("inspect", "-", given=made["token"] + "\n")
    payload = json.loads(seen.stdout)["payload"]
    assert (payload["sub"], payload["scope"], payload["jti"]) == ("alice", "user admin", made["token_id"])
    assert "good until" in seen.stderr
    assert chatsys("revoke", "-", given=made["token"]).stdout == f"revoked: {made['token_id']}\n"
    assert "TOKEN_REVOKED" in chatsys("inspect", made["token"], code=1).stderr


def test_only_the_token_is_on_standard_output(chatsys):
    chatsys("new-key", "--alg", "HS256", "--kid", "one")
    made = chatsys("create", "bob")
    assert made.stdout.count(".") == 2
    assert made.stdout.count("\n") == 1
    assert "for bob, until 20" in made.stderr


def test_a_user_and_an_id(chatsys, tmp_path):
    assert chatsys("revoke", "--user", "bob").stdout.startswith("revoked: all tokens of bob made before 2")
    chatsys("revoke", "some-id")
    revoked = Revocations(tmp_path).read()
    assert set(revoked.users) == {"bob"}
    assert revoked.tokens == {"some-id"}
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in ODD]
    chatsys("revoke", ".".join((*parts, "c2ln")))
    assert Revocations(tmp_path).read().tokens == {"some-id", "odd"}


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["create", "alice"], 1, "keys cannot be read from"),
        (["create", "a b"], 2, "'a b' is no user id"),
        (["create", "alice", "--lifetime", "1"], 2, "--lifetime: '1' is no time from 1s"),
        (["inspect", "nonsense"], 1, "TOKEN_INVALID: this is no JSON Web Token"),
        (["revoke"], 2, "Give a token, its id, or --user."),
        (["revoke", "x", "--user", "y"], 2, "Give a token, its id, or --user."),
        (["revoke", "--user", "a b"], 2, "'a b' is no user id"),
        (["revoke", "a.b.c"], 1, "this is no JSON Web Token"),
        (["new-key", "--kid", "a/b"], 1, "'a/b' is no key id"),
        (["create", "alice", "--config", "nowhere.toml"], 2, "--config: nowhere.toml cannot be read"),
    ],
)
def test_wrong_use(chatsys, words, code, sentence):
    result = chatsys(*words, code=code)
    assert sentence in result.stderr
    assert result.stdout == ""


def test_a_data_directory_that_is_not_there_is_not_made(tmp_path):
    result = CliRunner().invoke(group, ["revoke", "x", "--data", str(tmp_path / "typo")])
    assert result.exit_code == 1
    assert "there is no data directory" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_another_place_for_the_keys(chatsys, tmp_path):
    chatsys("new-key", "--keys", str(tmp_path / "elsewhere"))
    assert len(keys.load(tmp_path / "elsewhere").keys) == 1
