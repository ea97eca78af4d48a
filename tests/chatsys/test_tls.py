"""TLS and mTLS: who gets in, who does not, and a certificate that is renewed while the server runs."""

import asyncio
import subprocess
import sys

import grpc
import pytest

from chatsys.client import Client, Outgoing, RetryPolicy, Tls, UnavailableError
from chatsys.client.tls import explain
from tests.chatsys.certificates import Authority

SERVE = [sys.executable, "-m", "chatsys.server.main"]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def secure(serving, authority, tmp_path):
    cert, key = authority.issue("server")

    def start(*options, data="data"):
        return serving(
            tmp_path / data, [*SERVE, "--tls-cert", str(cert), "--tls-key", str(key), *map(str, options)]
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


def test_who_speaks_otherwise_is_told_what_to_do(serving, secure, authority, tmp_path, play):
    clear, tls, mutual = (
        serving(tmp_path / "clear"),
        secure(),
        secure("--client-ca", authority.ca, data="mutual"),
    )
    ours, strangers = Tls.read(str(authority.ca)), Tls.read(str(Authority(tmp_path, "stranger").ca))
    once = RetryPolicy(first_pause=60.0, longest_pause=60.0)
    cases = [
        (
            tls.address,
            None,
            "closes every connection in the clear, as a server does that speaks TLS.*add --ca FILE",
        ),
        (
            clear.address,
            ours,
            "does not speak TLS, and this client was told to: leave out --tls, --ca and --cert",
        ),
        (
            tls.address,
            strangers,
            r"is not believed \(unable to get local issuer certificate\): name by --ca FILE",
        ),
        (mutual.address, ours, "if it wants a certificate, add --cert FILE and --cert-key FILE"),
    ]

    async def body():
        for address, how, sentence in cases:
            async with Client(address, user="alice", tls=how, retry=once) as alice:
                with pytest.raises(UnavailableError, match=sentence) as caught:
                    await alice.server_info()
                assert caught.value.reason == "TLS"
                assert address in caught.value.message
                assert caught.value.retryable, "a server may be started again, and speak otherwise"
        async with Client(tls.address, user="alice") as alice:
            lost = asyncio.ensure_future(alice.subscribe().opened(within=2.0))
            with pytest.raises(UnavailableError, match="as a server does that speaks TLS"):
                await asyncio.gather(lost, alice.send_batch([Outgoing("r", "x")], within=2.0))
            with pytest.raises(UnavailableError, match="as a server does that speaks TLS"):
                await lost

    play(body())


def test_a_certificate_for_another_name():
    details = (
        "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7: Custom verification check"
    )
    said = explain(
        f"{details} failed with error: UNAUTHENTICATED: Hostname Verification Check failed.",
        "h:7",
        speaks_tls=True,
    )
    assert said == "the certificate of h:7 is for another name: call the server by a name that is in it"


@pytest.mark.parametrize(
    "details",
    [
        "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused",
        "Socket closed",  # of a connection that was: the server has gone
        "the server is about to leave; connect again",
    ],
)
def test_what_has_nothing_to_do_with_tls_is_left_as_it_is(details):
    assert explain(details, "h:1", speaks_tls=False) is None
    assert explain(details, "h:1", speaks_tls=True) is None


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
    in_the_clear = health("--timeout", "1")
    assert in_the_clear.returncode == 3
    assert "UNAVAILABLE: 127.0.0.1" in in_the_clear.stderr
    assert "add --ca FILE" in in_the_clear.stderr
    command = [sys.executable, "-m", "chatsys.cli", "send", "--server", served.address, "--user", "alice"]
    sent = subprocess.run(
        [*command, "--room", "r", "x", "--timeout", "1"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert sent.returncode == 3
    assert sent.stderr.startswith("chatsys: UNAVAILABLE TLS: 127.0.0.1")
    assert sent.stderr.count("\n") == 1
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
