"""Key files: which are keys, which one signs, and that a secret is nobody else's to read."""

import base64
import json

import pytest

from chatsys.auth import keys
from chatsys.auth.keys import BadKeyError


def test_the_greatest_id_signs_and_all_are_believed(tmp_path):
    for kid in ("b", "a", "c"):
        keys.create(tmp_path, "EdDSA" if kid == "a" else "HS256", kid)
    ring = keys.load(tmp_path)
    assert set(ring.keys) == {"a", "b", "c"}
    assert ring.signer().kid == "c"


def test_ids_of_ours_grow(tmp_path):
    first = keys.create(tmp_path)
    assert keys.load(tmp_path).signer().kid == first.stem
    assert first.stem < "3"


def test_a_key_is_for_its_owner_only(tmp_path):
    path = keys.create(tmp_path / "keys")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert keys.exposed(path.parent) == []
    path.chmod(0o644)
    assert keys.exposed(path.parent) == [path]


def test_no_key_is_written_over_another(tmp_path):
    path = keys.create(tmp_path, kid="one")
    before = path.read_text()
    with pytest.raises(BadKeyError, match="is there already"):
        keys.create(tmp_path, kid="one")
    assert path.read_text() == before
    assert [each.name for each in tmp_path.iterdir()] == ["one.jwk"]


def test_the_public_half_believes_and_does_not_sign(tmp_path):
    path = keys.create(tmp_path, kid="pair")
    data = json.loads(path.read_text())
    del data["d"]
    path.write_text(json.dumps(data))
    with pytest.raises(BadKeyError, match="can sign; make one with `chatsys token new-key`"):
        keys.load(tmp_path).signer()


def test_one_file_may_hold_a_set(tmp_path):
    made = [json.loads(keys.create(tmp_path / "some", kid=kid).read_text()) for kid in ("x", "y")]
    file = tmp_path / "set.json"
    file.write_text(json.dumps({"keys": made}))
    assert set(keys.load(file).keys) == {"x", "y"}


def encoded(size):
    return base64.urlsafe_b64encode(b"k" * size).decode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "it is no JSON"),
        ("[]", "it is no JSON Web Key"),
        ('{"keys": 1}', "`keys` is no list"),
        ('{"kty": "RSA"}', "it is neither a pair on Ed25519 (kty OKP) nor a secret (kty oct)"),
        (json.dumps({"kty": "oct", "k": encoded(31)}), "its secret has less than 32 bytes"),
        (json.dumps({"kty": "oct", "k": encoded(32), "alg": "none"}), "its alg is not HS256"),
        ('{"kty": "OKP", "crv": "Ed25519", "x": "AA"}', "it is no key for EdDSA"),
        ('{"kty": "OKP", "crv": "Ed25519", "kid": "../x"}', "its kid is no key id"),
    ],
)
def test_what_is_no_key(tmp_path, content, sentence):
    (tmp_path / "bad.jwk").write_text(content)
    with pytest.raises(BadKeyError) as caught:
        keys.load(tmp_path)
    assert sentence in str(caught.value)
    assert "bad.jwk" in str(caught.value)
    assert encoded(31) not in str(caught.value)


def test_all_bad_files_are_named_at_once(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.jwk").write_text("{")
    with pytest.raises(BadKeyError, match=r"a\.jwk: .*b\.jwk: "):
        keys.load(tmp_path)


@pytest.mark.parametrize("kid", ["", "a/b", ".x", "a" * 65, "ü"])
def test_only_ids_are_ids(tmp_path, kid):
    if kid:
        with pytest.raises(BadKeyError, match="is no key id"):
            keys.create(tmp_path, kid=kid)
    with pytest.raises(BadKeyError, match="no key is in"):
        keys.load(tmp_path)


def test_a_change_is_seen(tmp_path):
    nothing = keys.fingerprint(tmp_path / "keys")
    keys.create(tmp_path / "keys", kid="one")
    one = keys.fingerprint(tmp_path / "keys")
    assert one == keys.fingerprint(tmp_path / "keys") != nothing
    keys.create(tmp_path / "keys", kid="two")
    assert keys.fingerprint(tmp_path / "keys") != one


def test_ids_of_ours_grow_within_a_second(tmp_path):
    made = [keys.create(tmp_path).stem for _ in range(3)]
    assert made == sorted(made)
    assert keys.load(tmp_path).signer().kid == made[-1]
