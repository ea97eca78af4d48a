"""`chatsys health`, asked of a server that serves, of one that is leaving, and of nobody."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.client.real import real_server

STATUS = health_pb2.HealthCheckResponse


def ask(*words, **environment):
    """Run it to the end; return (exit code, stdout, stderr)."""
    done = subprocess.run(
        [sys.executable, "-m", "chatsys.cli", "health", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def saying(status, port=0):
    """A server that says this of itself; yields its address."""
    with ThreadPoolExecutor(1) as workers:
        server = grpc.server(workers)
        servicer = health.HealthServicer()
        servicer.set("", status)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait(10)


def test_a_server_that_serves(tmp_path):
    async def main():
        async with real_server(tmp_path) as server:
            served = (0, f"chatsys: {server.target} says SERVING\n", "")
            assert await asyncio.to_thread(ask, "--server", server.target) == served
            assert await asyncio.to_thread(ask, CHATSYS_SERVER=server.target) == served

    asyncio.run(main())


@pytest.mark.parametrize("status", ["NOT_SERVING", "UNKNOWN"])
def test_a_server_that_does_not(status):
    with saying(STATUS.ServingStatus.Value(status)) as address:
        assert ask("--server", address) == (1, f"chatsys: {address} says {status}\n", "")


def test_a_server_that_is_still_starting():
    with socket.create_server(("127.0.0.1", 0)) as starting, ThreadPoolExecutor(1) as asking:
        port = starting.getsockname()[1]
        asked = asking.submit(ask, "--server", f"127.0.0.1:{port}", "--within", "20")
        knocked, _ = starting.accept()  # it has been here, and nobody was in
        starting.close()
        knocked.close()
        with saying(STATUS.SERVING, port) as address:
            assert asked.result() == (0, f"chatsys: {address} says SERVING\n", "")


def test_nobody_came_in_time():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, out, err = ask("--server", address, "--within", "0.2", "--timeout", "5")
    assert (code, out) == (3, "")
    assert err.startswith(f"chatsys: {address} gave no answer: UNAVAILABLE: ")


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, out, err = ask("--server", address, "--timeout", "5")
    assert (code, out) == (3, "")
    assert err.startswith(f"chatsys: {address} gave no answer: UNAVAILABLE: ")
    assert err.count("\n") == 1


def test_somebody_listens_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        code, out, err = ask("--server", address, "--timeout", "0.3s")
    assert (code, out) == (3, "")
    assert err.startswith(f"chatsys: {address} gave no answer: DEADLINE_EXCEEDED")


def test_no_address():
    code, _, err = ask("--server", "nowhere")
    assert code == 2
    assert "'nowhere' is not HOST:PORT" in err
