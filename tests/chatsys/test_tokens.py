"""A server with tokens: who is let in, who is shown out, and what that does to what is under way."""

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from chatsys.auth import keys
from chatsys.auth.revocations import Revocations
from chatsys.auth.tokens import Claims, mint
from chatsys.client import Client
from chatsys.v1 import admin_pb2, chat_pb2, server_pb2, user_pb2

SERVE = [sys.executable, "-m", "chatsys.server.main", "--auth", "tokens"]


class House:
    """A server's files, and tokens made from them as the command makes them."""

    def __init__(self, data, served=None):
        self.data = data
        self.served: Any = served
        self.numbers = 0

    def token(self, user, *, admin=False, lasts=3600.0, audience="chatsys", kid=None):
        ring = keys.load(self.data / "keys")
        self.numbers += 1
        token_id = f"{user}-{self.numbers}"
        claims = Claims(user, admin, token_id, "", time.time() - 1, time.time() + lasts)
        return mint(ring.keys[kid] if kid else ring.signer(), claims, audience)

    def revoke(self, token_id):
        Revocations(self.data).revoke_token(token_id, time.time() + 3600)


@pytest.fixture
def house(serving, tmp_path):
    def start(*options):
        served = serving(tmp_path / "data", [*SERVE, *options])
        return House(served.data, served)

    return start


@pytest.fixture
def show(stubs):
    """``as_user(show(token))``: a stub that shows a token instead of a name."""

    def with_token(as_user, token):
        stub = as_user(None)
        stub.metadata = (("authorization", f"Bearer {token}"),) if token else ()
        return stub

    return with_token


def test_who_is_let_in_and_who_is_not(house, stubs, play, refused, show):
    here = house()
    expired = here.token("alice", lasts=-1)
    revoked = here.token("alice")
    here.revoke(f"alice-{here.numbers}")
    elsewhere = here.token("alice", audience="elsewhere")

    async def body():
        async with stubs(here.served.address) as as_user:
            root = show(as_user, here.token("root", admin=True))
            await root.create("r", "alice", "bob")
            alice = show(as_user, here.token("alice"))
            assert (await alice.send("r", "hi")).message.sender_id == "alice"
            named = as_user("alice")
            for stub, reason in (
                (named, "TOKEN_MISSING"),
                (show(as_user, ""), "TOKEN_MISSING"),
                (show(as_user, "a.b.c"), "TOKEN_INVALID"),
                (show(as_user, expired), "TOKEN_EXPIRED"),
                (show(as_user, revoked), "TOKEN_REVOKED"),
                (show(as_user, elsewhere), "TOKEN_INVALID"),
            ):
                with refused(reason):
                    await stub.send("r", "hi")
                with refused(reason):
                    await stub.subscribe().read()
                with refused(reason):
                    await stub.SendMessages().read()
            # A name beside a token changes nothing.
            both = show(as_user, here.token("alice"))
            both.metadata += (("chatsys-user", "bob"),)
            assert (await both.send("r", "again")).message.sender_id == "alice"

    play(body())


def test_what_needs_no_token(house, stubs, play, refused, show):
    here = house()

    async def body():
        async with stubs(here.served.address) as as_user:
            info = await as_user(None).GetServerInfo(server_pb2.GetServerInfoRequest())
            assert (info.auth_required, info.registration_open, info.position) == (True, False, "")
            assert (
                await show(as_user, here.token("bob")).GetServerInfo(server_pb2.GetServerInfoRequest())
            ).position
            with refused("TOKEN_INVALID"):  # whoever shows one must have a good one
                await show(as_user, "x").GetServerInfo(server_pb2.GetServerInfoRequest())
        async with grpc.aio.insecure_channel(here.served.address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(timeout=5)
            await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
            assert (await call.read()).HasField("list_services_response")
            call.cancel()

    play(body())


def test_the_admin_scope_is_for_who_has_it(house, stubs, play, refused, show):
    here = house()

    async def body():
        async with stubs(here.served.address) as as_user:
            bob = show(as_user, here.token("bob"))
            with refused("ROLE_REQUIRED"):
                await bob.create("r", "alice")
            with refused("ROLE_REQUIRED"):
                await bob.CreateToken(admin_pb2.CreateTokenRequest(user_id="root", scopes=["admin"]))
            with refused("ROLE_REQUIRED"):
                await bob.RevokeTokens(admin_pb2.RevokeTokensRequest(user_id="root"))
            with refused("ROLE_REQUIRED"):
                await bob.DrainServer(admin_pb2.DrainServerRequest())
            with refused("ROLE_REQUIRED"):
                await bob.ExplainDelivery(admin_pb2.ExplainDeliveryRequest(room_id="r", sequence=1))
            await show(as_user, here.token("root", admin=True)).create("r", "alice")
            with refused("NOT_A_MEMBER"):
                await bob.ListMessages(chat_pb2.ListMessagesRequest(room_id="r"))

    play(body())


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("expiry", "TOKEN_EXPIRED"),
        ("revocation", "TOKEN_REVOKED"),
        ("user", "TOKEN_REVOKED"),
        ("key", "TOKEN_INVALID"),
    ],
)
def test_what_is_open_ends_with_its_token(house, stubs, play, refused, show, texts, how, reason):
    here = house()
    lasts = 1.0 if how == "expiry" else 3600.0

    async def body():
        async with stubs(here.served.address) as as_user:
            root = show(as_user, here.token("root", admin=True))
            await root.create("r", "alice", "bob")
            bob = show(as_user, here.token("bob", lasts=lasts))
            stream, sender = bob.subscribe(), bob.SendMessages()
            waiting = bob.poll(consumer_id="other", wait={"seconds": 20})
            await stream.read()
            await sender.write(
                chat_pb2.SendMessagesRequest(
                    requests=[chat_pb2.SendMessageRequest(room_id="r", content=b"mine")]
                )
            )
            assert (await sender.read()).results[0].response.message.sequence == 2
            match how:
                case "revocation":
                    await root.RevokeTokens(admin_pb2.RevokeTokensRequest(token_id=f"bob-{here.numbers}"))
                case "user":
                    await root.RevokeTokens(admin_pb2.RevokeTokensRequest(user_id="bob"))
                case "key":
                    old = keys.load(here.data / "keys").signer().kid
                    keys.create(here.data / "keys", kid="9-new")
                    (here.data / "keys" / f"{old}.jwk").unlink()
            for ended in (stream, sender):
                with refused(reason):
                    while await ended.read() is not grpc.aio.EOF:
                        pass
                    await ended
            with refused(reason):
                await waiting
            with refused(reason):
                await bob.poll()
            # With a new one, nothing is lost and nothing of it was taken.
            again = show(as_user, here.token("alice"))
            assert texts((await again.poll()).deltas) == ["mine"]

    play(body())


def test_keys_are_rotated_while_streams_go_on(house, stubs, play, show, texts):
    here = house()

    async def body():
        async with stubs(here.served.address) as as_user:
            await show(as_user, here.token("root", admin=True)).create("r", "alice", "bob")
            old = show(as_user, here.token("bob"))
            stream = old.subscribe()
            await stream.read()
            keys.create(here.data / "keys", "HS256", "9-new")
            alice = show(as_user, here.token("alice"))
            await alice.send("r", "by the new key")
            assert texts((await stream.read()).deltas) == ["by the new key"]
            assert (await old.GetUser(user_pb2.GetUserRequest(user_id="bob"))).user.user_id == "bob"
            stream.cancel()

    play(body())


def test_a_client_goes_on_with_the_next_token(house, stubs, play, show):
    here = house()
    fetched = []

    def fetch():
        fetched.append(here.token("bob", lasts=0.6 if not fetched else 3600.0))
        return fetched[-1]

    async def body():
        async with stubs(here.served.address) as as_user, Client(here.served.address, token=fetch) as bob:
            await show(as_user, here.token("root", admin=True)).create("r", "alice", "bob")
            alice = show(as_user, here.token("alice"))
            await alice.send("r", "before")
            messages: Any = bob.receive()
            assert (await anext(messages)).content == b"before"
            following = asyncio.ensure_future(anext(messages))
            while len(fetched) < 2:
                await alice.poll(wait=Duration(nanos=10_000_000))
            await alice.send("r", "after")
            assert (await following).content == b"after"
            assert (await bob.send("r", "mine")).sequence == 4
            await messages.aclose()

    play(body())


def test_a_broken_key_file_leaves_the_keys_as_they_were(house, stubs, play, show):
    here = house()
    token = here.token("root", admin=True)
    (here.data / "keys" / "9-broken.jwk").write_text("{")

    async def body():
        async with stubs(here.served.address) as as_user:
            await show(as_user, token).create("r", "alice")

    play(body())


def test_who_shows_a_token_of_the_operators_is_known(house, stubs, play, refused, show):
    here = house()

    async def body():
        async with stubs(here.served.address) as as_user:
            alice, bob = (show(as_user, here.token(name)) for name in ("alice", "bob"))
            with refused("USER_NOT_FOUND"):
                await bob.GetUser(user_pb2.GetUserRequest(user_id="alice"))
            found = (await alice.GetUser(user_pb2.GetUserRequest())).user
            assert (found.user_id, found.display_name) == ("alice", "")
            assert (await bob.GetUser(user_pb2.GetUserRequest(user_id="alice"))).user == found

    play(body())


def test_registration(house, stubs, play, refused, show):
    closed = house()

    async def refusing():
        async with stubs(closed.served.address) as as_user:
            with refused("REGISTRATION_CLOSED"):
                await as_user(None).RegisterUser(user_pb2.RegisterUserRequest(display_name="Luis"))
            admin = show(as_user, closed.token("root", admin=True))
            assert (await admin.RegisterUser(user_pb2.RegisterUserRequest(display_name="Luis"))).token

    play(refusing())
    closed.served.stop()
    here = house("--registration", "open", "--token-lifetime", "2h")

    async def body():
        async with stubs(here.served.address) as as_user:
            request = user_pb2.RegisterUserRequest(display_name="Luis")
            one, two = [await as_user(None).RegisterUser(request) for _ in range(2)]
            assert one.user.user_id != two.user.user_id
            assert one.user.display_name == two.user.display_name == "Luis"
            assert 7000 < one.expire_time.seconds - time.time() < 7300
            await show(as_user, here.token("root", admin=True)).create(
                "r", one.user.user_id, two.user.user_id
            )
            sent = await show(as_user, one.token).send("r", "hi")
            assert sent.message.sender_id == one.user.user_id
            info = await as_user(None).GetServerInfo(server_pb2.GetServerInfoRequest())
            assert info.registration_open

    play(body())


def test_an_admin_makes_and_revokes_tokens(house, stubs, play, refused, show):
    here = house()

    async def body():
        async with stubs(here.served.address) as as_user:
            root = show(as_user, here.token("root", admin=True))
            request = admin_pb2.CreateTokenRequest(
                user_id="carl", display_name="Carl", lifetime=Duration(seconds=60)
            )
            made = await root.CreateToken(request)
            assert 50 < made.expire_time.seconds - time.time() <= 60
            carl = show(as_user, made.token)
            assert (await carl.GetUser(user_pb2.GetUserRequest())).user.display_name == "Carl"
            await root.RevokeTokens(admin_pb2.RevokeTokensRequest(token_id=made.token_id))
            with refused("TOKEN_REVOKED"):
                await carl.poll()
            for bad in (
                admin_pb2.RevokeTokensRequest(),
                admin_pb2.RevokeTokensRequest(token_id=""),
                admin_pb2.RevokeTokensRequest(user_id="a b"),
            ):
                with refused("FIELD_INVALID"):
                    await root.RevokeTokens(bad)
            for fields in (
                {"user_id": ""},
                {"user_id": "x", "scopes": ["root"]},
                {"user_id": "x", "lifetime": {"seconds": -1}},
            ):
                with refused("FIELD_INVALID"):
                    await root.CreateToken(admin_pb2.CreateTokenRequest(**fields))

    play(body())


def test_without_tokens_there_are_none_to_make(world, refused):
    async def body(as_user):
        with refused("TOKENS_NOT_USED"):
            await as_user("root").CreateToken(admin_pb2.CreateTokenRequest(user_id="carl"))

    world(body)


def test_revocations_outlive_the_server(house, stubs, play, refused, show):
    here = house()
    token = here.token("bob")
    Revocations(here.data).revoke_user("bob", time.time() + 1)
    here.served.kill()
    again = house()

    async def body():
        async with stubs(again.served.address) as as_user:
            with refused("TOKEN_REVOKED"):
                await show(as_user, token).poll()

    play(body())


def test_no_token_and_no_content_is_ever_logged(tmp_path, stubs, play, show):
    process = subprocess.Popen(
        [*SERVE, "--port", "0", "--data", str(tmp_path), "--log-level", "debug"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GRPC_VERBOSITY": "debug"},
    )
    address = f"127.0.0.1:{json.loads(process.stdout.readline())['port']}"
    here = House(tmp_path)
    token = here.token("root", admin=True)
    forged = token[:-20] + "A" * 20

    async def body():
        async with stubs(address) as as_user:
            root = show(as_user, token)
            await root.create("r", "root", exclude_caller=False)
            await root.send("r", "very private words")
            for bad in (forged, f"{token} {token}", here.token("root", lasts=-1)):
                for call in (lambda stub: stub.poll(), lambda stub: stub.subscribe().read()):
                    with pytest.raises(grpc.aio.AioRpcError) as caught:
                        await call(show(as_user, bad))
                    assert bad not in str(caught.value)

    play(body())
    process.terminate()
    _, errors = process.communicate(timeout=10)
    for secret in (token, forged, token.split(".")[2], token.split(".")[1], "very private"):
        assert secret not in errors
    secrets = json.loads(next((tmp_path / "keys").iterdir()).read_text())
    assert secrets["d"] not in errors
