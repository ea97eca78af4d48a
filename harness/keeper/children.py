"""Making a child: fork, cut it loose from the keeper, then run a Python entry or exec a command."""

from __future__ import annotations

import errno
import faulthandler
import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from harness.keeper import linux

#: Exit code of a child whose Python entry raised.
CRASHED = 70
#: A forked entry that gets this signal writes the stacks of its threads to its standard error, and goes on.
STACKS = signal.SIGUSR1


class SpawnError(Exception):
    """The command could not be executed; the text is the system's reason."""


def spawn(request: Mapping[str, Any], stdio: Sequence[int]) -> int:
    """Start one child and return its pid.

    Args:
        request: `module` and `args` to fork a Python entry (`module.main(args) -> int`), or `argv` to exec a
            command; `env`, added to the keeper's own environment; `cwd`, optional.
        stdio: the three file descriptors that become the child's 0, 1 and 2.

    Raises:
        SpawnError: the command or its directory does not exist, may not be executed, and the like; or the system
            gives no more processes or descriptors.
    """
    keeper = os.getpid()
    try:
        # The child writes its errno here if exec fails; exec itself closes the pipe, and so does a forked entry.
        reading, writing = os.pipe2(os.O_CLOEXEC)
    except OSError as fault:
        raise SpawnError(fault.strerror) from fault
    try:
        pid = os.fork()
    except OSError as fault:
        os.close(reading)
        os.close(writing)
        raise SpawnError(fault.strerror) from fault
    if pid == 0:
        _child(request, stdio, keeper, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        failure = pipe.read()
    if failure:
        os.waitpid(pid, 0)
        raise SpawnError(os.strerror(int(failure)))
    return pid


def _child(request: Mapping[str, Any], stdio: Sequence[int], keeper: int, failed: int) -> NoReturn:
    try:
        os.setpgid(0, 0)
        linux.die_with_parent(signal.SIGKILL)
        if os.getppid() != keeper:  # it died before we asked to be told
            os._exit(CRASHED)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _stdio(stdio)
        for name, value in (request.get("env") or {}).items():  # `update` would touch more memory
            os.environ[name] = value
        try:
            if request.get("cwd"):
                os.chdir(request["cwd"])
            if "argv" in request:
                argv = request["argv"]
                # Python ignores it, and exec would hand that on.
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                os.execvpe(argv[0], argv, os.environ)
        except OSError as fault:
            os.write(failed, str(fault.errno or errno.EINVAL).encode())
            os._exit(CRASHED)
        os.closerange(3, 1 << 20)
        _entry(request["module"], request["args"])
    except BaseException:  # noqa: BLE001 - a forked child must never return into the keeper's loop
        traceback.print_exc()
        _leave(CRASHED)


def _stdio(stdio: Sequence[int]) -> None:
    # First out of the way of 0-2, so that no dup2 overwrites a descriptor still needed.
    safe = [os.dup(fd) if fd <= 2 else fd for fd in stdio]
    for target, fd in enumerate(safe):
        os.dup2(fd, target, inheritable=True)


def _entry(module: str, args: list[str]) -> NoReturn:
    gc.enable()  # `random` has reseeded itself, as it does after every fork
    faulthandler.register(STACKS, file=2, all_threads=True)
    sys.argv = [module, *args]
    entry = sys.modules.get(module) or importlib.import_module(module)
    code = entry.main(list(args))
    _leave(int(code or 0))


def _leave(code: int) -> NoReturn:
    """End a forked child: what is buffered is written, and none of the keeper's own ending runs."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the other side is gone: nobody is left to read it
            continue
    os._exit(code)
