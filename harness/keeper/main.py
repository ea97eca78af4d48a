"""The keeper program: `python -m harness.keeper.main FD [MODULE ...]`.

FD is its end of a SOCK_SEQPACKET pair; the modules are imported, and their `rehearse()` called where they have
one, before it says that it is ready. A rehearsal leaves no thread and nothing open. One JSON
object a packet; a `spawn` carries three file descriptors.

| request | answer |
|---|---|
| spawn {id, module, args or argv, env, cwd} | {id, pid} or {id, error} |
| signal {id, pid, signal} | {id, found}: sent to the whole process group |
| sweep {id, mark} | {id, killed: [[pid, command]]}: ends whoever has `mark` (NAME=value) in its environment |
| close {id} | {id, killed: [...]}, after everything is dead and removed; then the keeper ends |

Unasked it says {ready: true, pid, scratch, subreaper} once, and {exit: pid, code, signal} for each end.
"""

from __future__ import annotations

import errno
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.keeper import PACKET, children, linux, sharing

#: How long the dying may take. SIGKILL cannot be refused; only a process in an uninterruptible call is slow.
DYING_S = 5.0


class Keeper:
    """The loop: packets from chatsim on one side, ends of children on the other."""

    def __init__(self, channel: socket.socket, scratch: Path) -> None:
        self._channel = channel
        self._scratch = scratch
        self._alive: set[int] = set()
        self._open = True

    def run(self) -> None:
        """Serve until chatsim closes the socket or says `close`."""
        woken, waker = socket.socketpair()
        woken.setblocking(False)
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        selector = selectors.DefaultSelector()
        selector.register(self._channel, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while self._open:
            for key, _ in selector.select():
                if key.fileobj is woken:
                    _drain(woken)
                    self._reap()
                else:
                    self._receive()

    def _receive(self) -> None:
        try:
            packet, fds, _, _ = socket.recv_fds(self._channel, PACKET, 3)
        except ConnectionError:
            packet, fds = b"", []
        if not packet:
            self._open = False
            return
        try:
            request = json.loads(packet)
            handlers: Mapping[str, Callable[[Any, Sequence[int]], dict[str, Any]]] = {
                "spawn": self._spawn,
                "signal": self._signal,
                "sweep": self._sweep,
                "close": self._close,
            }
            answer = handlers[request["do"]](request, fds)
            self._say({"id": request["id"], **answer})
        finally:
            for fd in fds:
                os.close(fd)

    def _spawn(self, request: Mapping[str, Any], fds: Sequence[int]) -> dict[str, Any]:
        try:
            pid = children.spawn(request, fds)
        except children.SpawnError as fault:
            return {"error": str(fault)}
        self._alive.add(pid)
        return {"pid": pid}

    def _signal(self, request: Mapping[str, Any], _fds: Sequence[int]) -> dict[str, Any]:
        # Only we reap, so a pid we have not reaped cannot have been given to anybody else.
        if request["pid"] not in self._alive:
            return {"found": False}
        try:
            os.killpg(request["pid"], request["signal"])
        except ProcessLookupError:
            return {"found": False}
        return {"found": True}

    def _sweep(self, request: Mapping[str, Any], _fds: Sequence[int]) -> dict[str, Any]:
        mark = request["mark"].encode()
        return {"killed": self._kill_all(lambda pid: mark in linux.environment(pid))}

    def _close(self, _request: Mapping[str, Any], _fds: Sequence[int]) -> dict[str, Any]:
        self._open = False
        return {"killed": self.clean()}

    def clean(self) -> list[tuple[int, str]]:
        """Kill all descendants, remove the scratch directory; return who was still alive."""
        killed = self._kill_all(lambda _: True)
        _remove(self._scratch)
        return killed

    def _reap(self) -> None:
        for pid, status in _ended():
            if pid in self._alive:
                self._alive.discard(pid)
                code = os.waitstatus_to_exitcode(status)
                ending = {"code": code, "signal": None} if code >= 0 else {"code": None, "signal": -code}
                self._say({"exit": pid, **ending})

    def _kill_all(self, chosen: Callable[[int], bool]) -> list[tuple[int, str]]:
        """Kill the chosen descendants, and those they start meanwhile; return (pid, command) of each."""
        killed: dict[int, str] = {}
        deadline = time.monotonic() + DYING_S
        while time.monotonic() < deadline:
            self._reap()
            found = [pid for pid in linux.descendants(os.getpid()) if chosen(pid)]
            if not found:
                break
            for pid in found:
                killed.setdefault(pid, linux.command_line(pid))
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            # Returns as soon as one of them has ended, at the latest after 10 ms: then we look again.
            signal.sigtimedwait({signal.SIGCHLD}, 0.01)
        return sorted(killed.items())

    def _say(self, message: Mapping[str, Any]) -> None:
        try:
            self._channel.send(json.dumps(message).encode())
        except OSError as fault:
            if fault.errno not in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
                raise
            self._open = False


def _remove(tree: Path) -> None:
    """Remove a directory and what is in it; a fault may have left directories that nobody can write to."""
    if not tree.is_dir():
        return
    tree.chmod(0o700)
    for folder, below, _ in os.walk(
        tree
    ):  # from the root down: one that is closed shows nothing of what is below
        for path in (Path(folder, name) for name in below):
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(tree, ignore_errors=True)


def _drain(woken: socket.socket) -> None:
    try:
        while woken.recv(4096):
            pass
    except BlockingIOError:
        return


def _ended() -> Iterator[tuple[int, int]]:
    """Yield (pid, status) of every child that has ended, reaping it."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def main(arguments: Sequence[str]) -> int:
    """Become the keeper; return when chatsim is gone and everything is clean."""
    channel = socket.socket(fileno=int(arguments[0]))
    os.closerange(
        channel.fileno() + 1, 1 << 20
    )  # what our parent had open is none of our children's business
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # chatsim decides when we go
    subreaper = linux.become_subreaper()
    scratch = Path(tempfile.mkdtemp(prefix="chatsim-"))
    keeper = Keeper(channel, scratch)
    try:
        gc.disable()  # not while importing; children turn it on again
        for module in arguments[1:]:
            rehearse = getattr(importlib.import_module(module), "rehearse", None)
            if rehearse is not None:
                rehearse()
        sharing.settle()
        hello = {"ready": True, "pid": os.getpid(), "scratch": str(scratch), "subreaper": subreaper}
        channel.send(json.dumps(hello).encode())
        keeper.run()
    except BrokenPipeError:  # chatsim went while we were importing
        pass
    finally:
        keeper.clean()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # chatsim waits for our end, and taking the interpreter apart would take 10 ms
