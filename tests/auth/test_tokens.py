"""What is believed: examples of every way not to be, and that no change of a token passes."""

import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsys.auth import keys
from chatsys.auth.tokens import SKEW, Claims, admin_of, mint, peek, verify
from chatsys.errors import Reason, Refusal

NOW = 1_700_000_000.0
CLAIMS = Claims("alice", admin=False, token_id="t-1", kid="", issued_at=NOW, expires_at=NOW + 60)


@pytest.fixture(scope="module", params=["EdDSA", "HS256"])
def ring(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    keys.create(folder, request.param, "key-1")
    return keys.load(folder)


def signed(ring, **changes):
    """A token with some claims changed, or taken out by None."""
    payload = {"sub": "alice", "aud": "chatsys", "scope": "user", "jti": "t", "iat": NOW, "exp": NOW + 60}
    payload = {name: value for name, value in {**payload, **changes}.items() if value is not None}
    key = ring.signer()
    return jwt.encode(payload, key.jwk.key, algorithm=key.algorithm, headers={"kid": key.kid})


def refusal(token, ring, now=NOW, audience="chatsys"):
    with pytest.raises(Refusal) as caught:
        verify(token, ring, audience, now)
    assert len(token) < 20 or token not in caught.value.message
    return caught.value


@pytest.mark.parametrize("admin", [False, True])
def test_what_was_minted_is_believed(ring, admin):
    claims = CLAIMS._replace(admin=admin)
    said = verify(mint(ring.signer(), claims, "chatsys"), ring, "chatsys", NOW)
    assert said == claims._replace(kid="key-1")


def test_the_end(ring):
    token = mint(ring.signer(), CLAIMS, "chatsys")
    assert verify(token, ring, "chatsys", NOW + 59.9).user_id == "alice"
    fault = refusal(token, ring, NOW + 60)
    assert fault.reason is Reason.TOKEN_EXPIRED
    assert fault.metadata == {"expire_time": "2023-11-14T22:14:20Z"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"aud": "other"}, "not for this server, whose audience is 'chatsys'"),
        ({"aud": None}, "has no claim 'aud'"),
        ({"exp": None}, "has no claim 'exp'"),
        ({"jti": None}, "has no claim 'jti'"),
        ({"iat": None}, "has no claim 'iat'"),
        ({"sub": None}, "has no claim 'sub'"),
        ({"sub": "a b"}, "subject is no user id"),
        ({"scope": None}, "none of the scopes user, admin"),
        ({"scope": "root"}, "none of the scopes user, admin"),
        ({"scope": ["admin"]}, "id or scope is no text"),
        ({"exp": "soon"}, "'exp' is no time"),
        ({"exp": 1e300}, "'exp' is no time"),
        ({"iat": NOW + SKEW + 1}, "not valid yet"),
        ({"nbf": NOW + SKEW + 1}, "not valid yet"),
    ],
)
def test_what_is_not_believed(ring, changes, sentence):
    fault = refusal(signed(ring, **changes), ring)
    assert fault.reason is Reason.TOKEN_INVALID
    assert sentence in fault.message


def test_another_key_of_the_same_name(ring, tmp_path):
    keys.create(tmp_path, ring.signer().algorithm, "key-1")
    forged = mint(keys.load(tmp_path).signer(), CLAIMS, "chatsys")
    assert refusal(forged, ring).message == "the token was not signed by the key that it names"
    keys.create(tmp_path, kid="key-2")
    assert "names no key" in refusal(mint(keys.load(tmp_path).signer(), CLAIMS, "chatsys"), ring).message


def test_no_other_algorithm_whatever_the_header_says(ring):
    payload = {"sub": "alice", "aud": "chatsys", "scope": "admin", "jti": "t", "iat": NOW, "exp": NOW + 60}
    unsigned = jwt.encode(payload, "", algorithm="none", headers={"kid": "key-1"})
    assert refusal(unsigned, ring).reason is Reason.TOKEN_INVALID
    # The classic: a public key taken for the secret of an HMAC.
    jwk = json.loads(ring.signer().jwk._jwk_data.__repr__().replace("'", '"'))
    if "x" in jwk:
        confused = jwt.encode(payload, jwk["x"].encode(), algorithm="HS256", headers={"kid": "key-1"})
        assert refusal(confused, ring).reason is Reason.TOKEN_INVALID


@given(data=st.data())
def test_no_changed_token_passes(data, ring):
    token = mint(ring.signer(), CLAIMS, "chatsys")
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCDwxyz0189-_."))
    changed = token[:at] + letter + token[at + 1 :]
    # base64 has bits to spare at its end: another last letter may spell the same signature.
    if changed[:-1] == token[:-1]:
        return
    assert refusal(changed, ring).reason is Reason.TOKEN_INVALID


@given(text=st.text(max_size=80))
def test_what_is_no_token(ring, text):
    assert refusal(text, ring).reason is Reason.TOKEN_INVALID
    with pytest.raises(Refusal):
        peek(text)


def test_scopes():
    assert (admin_of([]), admin_of(["user"]), admin_of(["user", "admin"])) == (False, False, True)
    with pytest.raises(Refusal, match=r"scopes\[1\]: is 'root'"):
        admin_of(["user", "root"])
