"""Keys: JSON Web Keys (RFC 7517) in files of their own, by key id.

A directory holds ``KID.jwk`` for each key. The one that signs is the greatest id of those that can; ids that we
choose begin with the time, so a new key signs as soon as it is there, and those before it go on being believed
until their file is taken away. Invariant: a key has one algorithm, and is believed with that one only.
"""

import base64
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jwt

from chatsys import private

Algorithm = Literal["EdDSA", "HS256"]

SUFFIX = ".jwk"
DIRECTORY = "keys"
"""Of the data directory, where keys are unless somebody says otherwise."""
MIN_SECRET_BYTES = 32
"""Of a key for HS256: as many as its hash, RFC 7518 §3.2."""

_STAMP = "20260101T000000Z"
_KID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class BadKeyError(Exception):
    """Keys that cannot be used; the message is a whole sentence, and holds no secret."""


class Key(NamedTuple):
    """One key."""

    kid: str
    algorithm: Algorithm
    signs: bool
    """False for the public half of a pair, which a server needs that only believes."""
    jwk: jwt.PyJWK


class Keyring(NamedTuple):
    """The keys of one directory at one time."""

    keys: Mapping[str, Key]
    origin: str

    def signer(self) -> Key:
        """The key that signs.

        Raises:
            BadKeyError: There is none.
        """
        able = [kid for kid, key in self.keys.items() if key.signs]
        if not able:
            raise BadKeyError(f"no key in {self.origin} can sign; make one with `chatsys token new-key`")
        return self.keys[max(able)]


def load(path: Path) -> Keyring:
    """Reads a directory of keys, or one file that holds a key or a set of them (``{"keys": [...]}``).

    Raises:
        BadKeyError: One of the files is no key, or there is none at all; every fault is in the sentence.
    """
    try:
        files = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        texts = {file: file.read_text(encoding="utf-8") for file in files}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadKeyError(
            f"keys cannot be read from {path}: {why}; `chatsys token new-key` makes one"
        ) from None
    keys: dict[str, Key] = {}
    faults: list[str] = []
    for file, text in texts.items():
        try:
            for key in _keys(text, file.name.removesuffix(SUFFIX)):
                if key.kid in keys:
                    faults.append(f"{file}: there is another key called {key.kid}")
                keys[key.kid] = key
        except BadKeyError as fault:
            faults.append(f"{file}: {fault}")
    if faults:
        raise BadKeyError("; ".join(faults))
    if not keys:
        raise BadKeyError(f"no key is in {path} (KID{SUFFIX}); make one with `chatsys token new-key`")
    return Keyring(keys, str(path))


def create(directory: Path, algorithm: Algorithm = "EdDSA", kid: str = "") -> Path:
    """Makes a new key, readable by its owner only; it is there whole or not at all.

    Args:
        directory: Made if it is not there.
        algorithm: EdDSA: a pair on Ed25519. HS256: a secret, which whoever believes its tokens can also sign with.
        kid: Its id; empty: one that is greater than all before it.

    Returns:
        Its file.

    Raises:
        BadKeyError: It cannot be written, or the id is taken or no id.
    """
    kid = kid or _next_kid(directory)
    if not _KID.fullmatch(kid):
        raise BadKeyError(f"{kid!r} is no key id: 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'")
    path = directory / f"{kid}{SUFFIX}"
    text = json.dumps({**_fresh(algorithm), "kid": kid, "alg": algorithm, "use": "sig"}) + "\n"
    building = directory / f".{kid}.new"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        building.unlink(missing_ok=True)
        fd = private.make(building)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(fd)
        try:
            os.link(building, path)  # unlike a rename, never over one that is there
        finally:
            building.unlink()
        folder = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        raise BadKeyError(f"{path} is there already") from None
    except OSError as error:
        raise BadKeyError(f"no key can be written to {directory}: {error.strerror}") from None
    return path


def fingerprint(path: Path) -> object:
    """Something that differs when the files have changed; of what cannot be read, that it cannot."""
    try:
        if not path.is_dir():
            return _mark(path.stat())
        with os.scandir(path) as entries:
            return sorted((each.name, *_mark(each.stat())) for each in entries if each.name.endswith(SUFFIX))
    except OSError as error:
        return error.errno


def exposed(path: Path) -> list[Path]:
    """The files with secrets that others than their owner and group may read."""
    files = path.glob(f"*{SUFFIX}") if path.is_dir() else (path,)
    return sorted(
        file
        for file in files
        if file.stat().st_mode & 0o007 and any(word in file.read_text("utf-8") for word in ('"d"', '"k"'))
    )


def _next_kid(directory: Path) -> str:
    """An id that begins with the time, and later than all that do and are there: two may be made in one second."""
    taken = {file.name[: len(_STAMP)] for file in directory.glob(f"*{SUFFIX}")}
    seconds = int(time.time())
    while (stamp := time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))) in taken:
        seconds += 1
    return f"{stamp}-{secrets.token_hex(3)}"


def _mark(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _fresh(algorithm: Algorithm) -> dict[str, str]:
    if algorithm == "HS256":
        return {"kty": "oct", "k": _encode(secrets.token_bytes(MIN_SECRET_BYTES))}
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  # for makers

    made = Ed25519PrivateKey.generate()
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "d": _encode(made.private_bytes_raw()),
        "x": _encode(made.public_key().public_bytes_raw()),
    }


def _keys(text: str, name: str) -> list[Key]:
    try:
        data = json.loads(text)
    except ValueError:
        raise BadKeyError("it is no JSON") from None
    entries = data.get("keys") if isinstance(data, dict) and "keys" in data else [data]
    if not isinstance(entries, list):
        raise BadKeyError("`keys` is no list")
    return [_key(entry, name) for entry in entries]


def _key(data: Any, name: str) -> Key:
    if not isinstance(data, dict):
        raise BadKeyError("it is no JSON Web Key")
    kid = data.get("kid", name)
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise BadKeyError("its kid is no key id: 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'")
    algorithm = _algorithm(data)
    try:
        jwk = jwt.PyJWK.from_dict(data, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise BadKeyError(f"it is no key for {algorithm}") from None
    return Key(kid, algorithm, algorithm == "HS256" or "d" in data, jwk)


def _algorithm(data: Mapping[str, Any]) -> Algorithm:
    kind, curve = data.get("kty"), data.get("crv")
    algorithm: Algorithm
    if kind == "OKP" and curve == "Ed25519":
        algorithm = "EdDSA"
    elif kind == "oct":
        algorithm = "HS256"
        if len(_decode(data.get("k"))) < MIN_SECRET_BYTES:
            raise BadKeyError(f"its secret has less than {MIN_SECRET_BYTES} bytes")
    else:
        raise BadKeyError("it is neither a pair on Ed25519 (kty OKP) nor a secret (kty oct)")
    if data.get("alg", algorithm) != algorithm:
        raise BadKeyError(f"its alg is not {algorithm}, the one for such a key")
    return algorithm


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: Any) -> bytes:
    try:
        return base64.urlsafe_b64decode(str(text) + "=" * (-len(str(text)) % 4))
    except ValueError:
        return b""
