"""Who may read what a server keeps: its owner, whatever the umask says; and a file is never taken for another's."""

import asyncio
import os
from contextlib import closing

import pytest
from click.testing import CliRunner

from chatsys import private
from chatsys.auth import keys
from chatsys.auth.revocations import Revocations, Revoked
from chatsys.cli.backup import backup
from chatsys.cli.restore import restore
from chatsys.core.entry import PutUser
from chatsys.store import SqliteStore, StoreError, damage, schema


@pytest.fixture(params=[0o000, 0o027, 0o777], ids=oct)
def umask(request):
    """The mask of this process, which runs its tests one after another."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def command(what, *words):
    result = CliRunner().invoke(what, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def modes(directory):
    return {path.name: oct(path.stat().st_mode & 0o777) for path in directory.rglob("*") if path.is_file()}


def written(directory):
    """A log in use, with what SQLite keeps beside it."""

    async def work():
        store = SqliteStore.open(directory, "x")
        try:
            store.start(lambda _: True)
            await store.submit([PutUser("alice", "Alice", 1, new=True)])
            return modes(directory)
        finally:
            store.close()

    return asyncio.run(work())


def test_all_that_a_server_keeps_is_its_owners(tmp_path, umask):
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    Revocations(data).revoke_token("t", 10.0**11)
    (data / "keys").mkdir()
    (data / "keys").chmod(0o755)
    key = keys.create(data / "keys")
    damage.mark(data, "what was found")
    assert damage.marked(data) == "what was found"
    damage.clear(data)
    found = written(data)
    assert found.keys() >= {"chatsys.sqlite3", "chatsys.sqlite3-wal", "chatsys.sqlite3-shm", "lock", "life"}
    assert found.keys() >= {"revocations.sqlite3", key.name}
    assert set(found.values()) == {"0o600"}, found


def test_backups_are_too_wherever_they_are(tmp_path, umask):
    written(tmp_path / "data")
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(0o755)
    assert command(backup, tmp_path / "data", place)[0] == 0
    assert modes(place) == {"chatsys.sqlite3": "0o600"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_belongs_to_whose_directory_it_is(tmp_path):
    os.chown(tmp_path, 12_345, 12_345)
    Revocations(tmp_path).revoke_token("t", 10.0**11)
    assert (tmp_path / "revocations.sqlite3").stat().st_uid == 12_345
    os.close(private.open_or_make(tmp_path / "revocations.sqlite3"))
    with pytest.raises(FileExistsError):
        private.make(tmp_path / "revocations.sqlite3")


def test_revocations_that_were_begun_are_none(tmp_path):
    """Killed between making the file and its first revocation, a command must not keep the server from starting."""
    (tmp_path / "revocations.sqlite3").touch()
    assert Revocations(tmp_path).read() == Revoked()
    Revocations(tmp_path).revoke_token("t", 10.0**11)
    assert Revocations(tmp_path).read().tokens == {"t"}


def leave_a_wal(directory):
    """What is left when somebody moves a log away after its server was killed, and forgets what lies beside it."""
    written(directory)
    with closing(schema.open_writer(directory / schema.FILE)) as log:
        log.execute("INSERT INTO meta VALUES ('of the', 'other log')")
        left = (directory / f"{schema.FILE}-wal").read_bytes()
    (directory / schema.FILE).unlink()
    (directory / f"{schema.FILE}-wal").write_bytes(left)


def test_no_log_begins_beside_the_rest_of_another(tmp_path):
    leave_a_wal(tmp_path)
    with pytest.raises(StoreError, match=r"-wal belongs to a log that is not beside it; put that log back"):
        SqliteStore.open(tmp_path, "x")
    (tmp_path / f"{schema.FILE}-wal").unlink()
    assert written(tmp_path)


def test_nothing_is_restored_beside_the_rest_of_another(tmp_path):
    written(tmp_path / "good")
    assert command(backup, tmp_path / "good", tmp_path / "backup")[0] == 0
    leave_a_wal(tmp_path / "data")
    code, output = command(restore, tmp_path / "backup", tmp_path / "data")
    assert code == 1
    assert "-wal belongs to a log that is not beside it; move this file away, too" in output
    assert not (tmp_path / "data" / schema.FILE).exists()


def test_a_restored_log_is_not_held_to_the_damage_of_the_one_before(tmp_path):
    written(tmp_path / "data")
    assert command(backup, tmp_path / "data", tmp_path / "backup")[0] == 0
    (tmp_path / "data" / schema.FILE).unlink()
    damage.mark(tmp_path / "data", "a page is gone")
    assert command(restore, tmp_path / "backup", tmp_path / "data")[0] == 0
    assert written(tmp_path / "data")


def test_one_copy_at_a_time_is_made_in_one_place(tmp_path, monkeypatch):
    written(tmp_path / "data")
    answers = []

    def meanwhile(_path):
        if not answers:
            answers.append(None)
            answers[0] = command(backup, tmp_path / "data", tmp_path / "place")

    monkeypatch.setattr("chatsys.store.backup._sync", meanwhile)
    assert command(backup, tmp_path / "data", tmp_path / "place")[0] == 0
    assert answers[0] is not None
    assert answers[0][0] == 1
    assert "another copy to" in answers[0][1]


def test_a_mark_that_cannot_be_read_is_one(tmp_path):
    (tmp_path / damage.FILE).mkdir()
    with pytest.raises(StoreError, match="says how, and cannot be read"):
        SqliteStore.open(tmp_path, "x")
