"""What a process holds open is read from /proc, of a real process with real sockets and files."""

import contextlib
import socket
import subprocess
import sys

import pytest

from harness.keeper.descriptors import DELETED, Held, held
from tests.support import until

KEEPER = """
import os, socket, sys, tempfile
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
kept = [listening.accept()[0] for _ in range(3)]
files = [open(sys.argv[1]) for _ in range(4)]
if len(sys.argv) > 2:
    files += [tempfile.TemporaryFile() for _ in range(5)]
print("ready", flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@pytest.mark.parametrize("more", [(), ("deleted",)])
def test_connections_whose_other_end_has_gone_and_the_file_open_most_often(tmp_path, more):
    path = tmp_path / "log"
    path.touch()
    command = [sys.executable, "-c", KEEPER, str(path), *more]
    with contextlib.ExitStack() as stack:
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        process = stack.enter_context(
            subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, text=True)
        )
        assert process.stdin is not None
        assert process.stdout is not None
        stack.callback(process.stdin.close)
        port = int(process.stdout.readline())
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(3)]
        assert process.stdout.readline() == "ready\n"
        most = (DELETED, 5) if more else (str(path), 4)
        assert held([process.pid]) == Held(0, *most), "connections that somebody still uses"
        for client in clients[:2]:
            client.close()
        until(lambda: held([process.pid]).gone == 2, "the server to be told of two closed connections")
        # It has four sockets: the one that listens, and three.
        assert held([process.pid], few=3).gone == 2
        assert held([process.pid], few=4).gone == 0


def test_a_process_that_is_gone_holds_nothing():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert held([process.pid]) == Held()
