"""What chatsim needs of a machine: kernel, limits, ports, disk, the programs it starts. One function a thing.

Each looks and changes nothing, and returns what it found with a remedy; what it needs to know is an argument where a
test must be able to say it.
"""

from __future__ import annotations

import errno
import importlib.metadata
import os
import platform
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.keeper import linux
from harness.model.checkup import Finding
from harness.run.own import preload

#: Descriptors that chatsim holds for one client: its pipes, its log, its connection and the listener before it.
_FDS_A_CLIENT = 6
_FDS_ANYHOW = 60
#: Fewer clients than that, and scenarios that ship cannot be played.
_CLIENTS = 60
#: The port that `chatsys serve` takes when nothing else is said, and tutorials name.
USUAL_PORT = 50051
_MEGA = 1 << 20
_LOW_DISK, _NO_DISK = 1_024 * _MEGA, 64 * _MEGA
#: Program -> (what it is good for, where it comes from).
OPTIONAL: Mapping[str, tuple[str, str]] = {
    "py-spy": ("stack dumps of a Python server that hangs", "pip install py-spy"),
    "chromium": ("the tests of the page", "apt install chromium"),
    "mosquitto": ("the example of an MQTT broker", "apt install mosquitto"),
    "node": ("the example of a client in Node", "apt install nodejs"),
}


def kernel(system: str = sys.platform) -> Finding:
    """Look for what chatsim keeps its promise with that nothing is left behind."""
    here = f"{platform.system()} {platform.release()}"
    if system != "linux":
        return Finding(
            "kernel",
            "note",
            f"{here}: no subreaper and no parent-death signal; after kill -9 of chatsim processes may stay",
            "play on Linux, or in the container: docs/image.md",
        )
    works = {
        "subreaper": linux.become_subreaper(),
        "parent-death signal": linux.die_with_parent(0),
        "pidfd": _pidfd(),
    }
    lacking = [name for name, there in works.items() if not there]
    if lacking:
        said = f"{here}: no {', no '.join(lacking)}; after kill -9 of chatsim processes may stay"
        return Finding(
            "kernel", "note", said, "a sandbox may forbid prctl and pidfd_open: allow them, or leave it"
        )
    return Finding("kernel", "ok", f"{here}: {', '.join(works)}")


def _pidfd() -> bool:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def open_files(soft: int | None = None) -> Finding:
    """Look at how many files a process may have open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if soft is None else soft
    if soft == resource.RLIM_INFINITY:
        return Finding("open files", "ok", "no limit")
    clients = max(0, (soft - _FDS_ANYHOW) // _FDS_A_CLIENT)
    said = f"{soft} a process, enough for about {clients} clients"
    if clients < _CLIENTS:
        return Finding("open files", "bad" if clients < 10 else "note", said, "ulimit -n 4096")
    return Finding("open files", "ok", said)


def processes(soft: int | None = None, group: int | None = None) -> Finding:
    """Look at how many processes and threads one may have: the user's limit, and that of the control group."""
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0] if soft is None else soft
    group = _pids_max() if group is None else group
    known = [limit for limit in (soft, group) if limit not in (resource.RLIM_INFINITY, -1)]
    if not known:
        return Finding("processes", "ok", "no limit")
    least = min(known)
    said = f"{least} processes and threads at most; a client is one process with about five threads"
    remedy = "ulimit -u 4096" if least == soft else "a container is given more by --pids-limit"
    if least < 5 * _CLIENTS:
        return Finding("processes", "bad" if least < 50 else "note", said, remedy)
    return Finding("processes", "ok", f"{least} processes and threads at most")


def _pids_max() -> int:
    try:
        path = Path("/proc/self/cgroup").read_text(encoding="utf-8").rpartition("::")[2].strip()
        return int(Path(f"/sys/fs/cgroup{path}/pids.max").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # no control group, or `max`
        return -1


def ports(listen: Callable[[tuple[str, int]], socket.socket] = socket.create_server) -> Finding:
    """Look whether servers can listen on loopback, on a port that the system chooses."""
    try:
        listen(("127.0.0.1", 0)).close()
    except OSError as fault:
        return Finding(
            "ports",
            "bad",
            f"nobody can listen on 127.0.0.1: {fault.strerror}",
            "ip link set lo up; in a sandbox, allow loopback",
        )
    return Finding("ports", "ok", f"loopback gives ports{_range()}")


def _range() -> str:
    try:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return ""
    return f", {low} to {high}"


def usual_port(port: int = USUAL_PORT) -> Finding:
    """Look whether the port that servers usually take is free; runs do not need it."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            return Finding(f"port {port}", "ok", "free; only servers with a fixed port want it")
    except OSError as fault:
        if fault.errno != errno.EADDRINUSE:
            return Finding(
                f"port {port}",
                "note",
                f"cannot be taken: {fault.strerror}",
                "write {port} in the server command",
            )
    return Finding(
        f"port {port}",
        "note",
        "somebody listens there; a server command with this port fixed would fail",
        f"write {{port}} in the server command; `ss -ltnp 'sport = :{port}'` shows who it is",
    )


def versions(version: Callable[[str], str] = importlib.metadata.version) -> Finding:
    """Look which versions are installed of what chatsim talks with."""
    found, missing = [f"Python {platform.python_version()}"], []
    for name in ("grpcio", "protobuf"):
        try:
            found.append(f"{name} {version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        said = f"{', '.join(found)}; not installed: {', '.join(missing)}"
        return Finding("versions", "bad", said, f"pip install {' '.join(missing)}")
    return Finding("versions", "ok", ", ".join(found))


def own_programs(modules: Sequence[str] = preload(None, None)) -> Finding:
    """Look whether our own server and driver can be imported, in a process of their own as in a run."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(modules)}"], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        said = ran.stderr.strip().rpartition("\n")[2] or f"exit {ran.returncode}"
        return Finding(
            "programs", "bad", f"chatsys cannot be started: {said}", "pip install --force-reinstall chatsim"
        )
    return Finding("programs", "ok", "chatsys and its driver can be imported")


def optional(which: Callable[[str], str | None] = shutil.which) -> list[Finding]:
    """Look for programs that some things are better with."""
    found = []
    for name, (use, source) in OPTIONAL.items():
        path = which(name)
        found.append(
            Finding(name, "ok", path)
            if path
            else Finding(name, "absent", f"not here; wanted for {use}", source)
        )
    return found


def room(folder: Path, name: str, free: int | None = None) -> Finding:
    """Look whether a folder, or the one it will be made in, can be written to and has room."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding(
            name, "bad", f"{folder} cannot be written to", "choose another: --reports DIR, or TMPDIR=DIR"
        )
    free = shutil.disk_usage(there).free if free is None else free
    said = f"{folder}, {_size(free)} free"
    if free < _LOW_DISK:
        return Finding(
            name, "bad" if free < _NO_DISK else "note", said, f"make room, or remove runs of {folder}"
        )
    return Finding(name, "ok", said)


def scratch() -> Finding:
    """Look at the folder where runs keep what they do not leave behind."""
    return room(Path(tempfile.gettempdir()), "scratch")


def _size(number: int) -> str:
    return f"{number / (1 << 30):.1f} GB" if number >= 1 << 30 else f"{number // _MEGA} MB"


def terminal(encoding: str, environ: Mapping[str, str], *, isatty: bool) -> Finding:
    """Look whether the terminal shows what reports are drawn with."""
    kind = f"{environ.get('TERM') or 'unknown'}, {encoding}" if isatty else f"none, {encoding}"
    if not re.match(r"utf-?8", encoding, re.IGNORECASE):
        said = f"{kind}: diagrams are drawn in ASCII, and other letters as ?"
        return Finding("terminal", "note", said, "export LANG=C.UTF-8")
    return Finding("terminal", "ok", kind)
