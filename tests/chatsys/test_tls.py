"""TLS and mTLS: who gets in, who does not, and a certificate that is renewed while the server runs."""

import subprocess
import sys

import grpc
import pytest

from chatsys.client import Client, Tls, UnavailableError
from tests.chatsys.certificates import Authority

SERVE = [sys.executable, "-m", "chatsys.server.main"]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def secure(serving, authority, tmp_path):
    cert, key = authority.issue("server")

    def start(*options):
        return serving(
            tmp_path / "data", [*SERVE, "--tls-cert", str(cert), "--tls-key", str(key), *map(str, options)]
        )

    return start


async def let_in(address, tls):
    """Whether a client is served."""
    client = Client(address, user="alice", tls=tls)
    try:
        await client.server_info(within=1.0)
    except UnavailableError:
        return False
    finally:
        await client.close()
    return True


def test_tls(secure, authority, tmp_path, play):
    served = secure()
    stranger = Authority(tmp_path, "stranger")

    async def body():
        tls = Tls.read(str(authority.ca))
        async with Client(served.address, user="alice", tls=tls) as alice:
            await alice.create_room("r", members=["bob"])
            await alice.send("r", "hi")
        async with Client(served.address, user="bob", tls=tls) as bob:
            async for message in bob.receive():
                assert message.content == b"hi"
                break
        assert not await let_in(served.address, None)
        assert not await let_in(served.address, Tls.read(str(stranger.ca)))

    play(body())


def test_mtls(secure, authority, tmp_path, play):
    served = secure("--client-ca", authority.ca)
    ca = str(authority.ca)
    ours, theirs = authority.issue("alice"), Authority(tmp_path, "stranger").issue("mallory")

    async def body():
        assert await let_in(served.address, Tls.read(ca, *map(str, ours)))
        assert not await let_in(served.address, Tls.read(ca))
        assert not await let_in(served.address, Tls.read(ca, *map(str, theirs)))

    play(body())


def test_a_certificate_is_renewed_without_a_restart(secure, authority, tmp_path, play):
    served = secure()
    other = Authority(tmp_path, "next")

    async def body():
        old, new = Tls.read(str(authority.ca)), Tls.read(str(other.ca))
        assert await let_in(served.address, old)
        other.issue("server")
        assert await let_in(served.address, new)
        assert not await let_in(served.address, old)
        (tmp_path / "server.crt").write_text("half a certifi")
        assert await let_in(served.address, new), "what cannot be used changes nothing"

    play(body())


def test_the_command_line(secure, authority):
    served = secure("--client-ca", authority.ca)
    cert, key = authority.issue("alice")

    def health(*options):
        command = [sys.executable, "-m", "chatsys.cli", "health", "--server", served.address]
        return subprocess.run(
            [*command, *map(str, options)], capture_output=True, text=True, timeout=20, check=False
        )

    assert "says SERVING" in health("--ca", authority.ca, "--cert", cert, "--cert-key", key).stdout
    assert health("--timeout", "1").returncode == 3
    assert "nowhere cannot be read: No such file" in health("--ca", "nowhere").stderr
    assert "a certificate and its key go together" in health("--cert", cert).stderr


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--tls-cert", "server.crt"], 2, "--tls-cert and --tls-key go together"),
        (["--client-ca", "ca.pem"], 2, "--client-ca is for a server that speaks TLS"),
        (["--tls-cert", "server.crt", "--tls-key", "none.key"], 1, "none.key cannot be read: No such file"),
        (
            ["--tls-cert", "server.crt", "--tls-key", "alice.key"],
            1,
            "do not go together as certificate and key",
        ),
        (["--tls-cert", "empty", "--tls-key", "server.key"], 1, "do not go together as certificate and key"),
    ],
)
def test_what_it_does_not_start_with(authority, tmp_path, options, code, sentence):
    authority.issue("server")
    authority.issue("alice")
    (tmp_path / "empty").touch()
    command = [*SERVE, "--port", "0", "--data", str(tmp_path / "data"), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, cwd=tmp_path)
    assert ended.returncode == code
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_grpc_speaks_of_tls_only_when_asked_to():
    assert isinstance(Tls().credentials(), grpc.ChannelCredentials)
