"""Keys and revocations that change, and those that cannot be read for a while: what is believed meanwhile."""

import logging

from chatsys.auth import keys
from chatsys.auth.revocations import Revocations
from chatsys.server import gate as gates


def errors(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_keys_that_could_not_be_read_once_are_read_when_they_can(tmp_path, monkeypatch):
    """Nothing about the files need change for that: a process may have been out of descriptors."""
    keys.create(tmp_path / "keys", kid="one")
    gate = gates.TokenGate(tmp_path / "keys", tmp_path, "chatsys", 60.0)
    keys.create(tmp_path / "keys", kid="two")
    whole = keys.load

    def fails(path):
        raise keys.BadKeyError(f"keys cannot be read from {path}: Too many open files")

    monkeypatch.setattr(keys, "load", fails)
    gate.refresh()
    assert set(gate._ring.keys) == {"one"}
    monkeypatch.setattr(keys, "load", whole)
    gate.refresh()
    assert set(gate._ring.keys) == {"one", "two"}


def test_what_cannot_be_read_is_said_once(tmp_path, caplog):
    keys.create(tmp_path / "keys", kid="one")
    gate = gates.TokenGate(tmp_path / "keys", tmp_path, "chatsys", 60.0)
    (tmp_path / "keys" / "two.jwk").write_text("{")
    Revocations(tmp_path).path.write_bytes(b"nonsense" * 1_000)
    for _ in range(5):
        gate.refresh()
    assert len(errors(caplog)) == 2
    (tmp_path / "keys" / "three.jwk").write_text("{")
    gate.refresh()
    assert len(errors(caplog)) == 3, "another fault is another sentence"
    for name in ("two.jwk", "three.jwk"):
        (tmp_path / "keys" / name).unlink()
    gate.refresh()
    (tmp_path / "keys" / "two.jwk").write_text("{")
    gate.refresh()
    assert len(errors(caplog)) == 4, "and so is the same one after all was well"
