"""A second language: a driver and a client of chatsys in Node, written from the protocol page and proto/ alone."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.foreign.conftest import EXAMPLES, PATIENCE_S, ROOT, due, endings, grades, played, skips

NODE = EXAMPLES / "node"
DRIVER = f"node {NODE / 'driver.js'}"
pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]

#: What this driver cannot play, and why.
SKIPS: dict[str, str] = {
    "basic[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "direct_message[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "drain[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "everyone_online[poll]": "the driver lacks `poll`: alice must receive by poll (line 7)",
    "join_and_poll": "the driver lacks `poll`: alice must receive by poll (line 6)",
    "kick[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "latecomers[poll]": "the driver lacks `poll`: alice must receive by poll (line 7)",
    "lost_answers": "the driver lacks `poll`, `grpc`: bob must receive by poll (line 8)",
    "moderation[poll]": "the driver lacks `poll`: ann must receive by poll (line 8)",
    "outsider[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "rate_limit[poll]": "the driver lacks `poll`: alice must receive by poll (line 9)",
    "rejoin[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "retention[poll]": "the driver lacks `poll`: alice must receive by poll (line 9)",
    "rotate_keys[poll]": "the driver lacks `poll`, `keys`: alice must receive by poll (line 9)",
    "rotate_keys[stream]": "the driver lacks `keys`: `rotate_keys` (line 23)",
    "same_name[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "slow_reader[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "takeover[poll]": "the driver lacks `poll`: bob must receive by poll (line 8)",
    "tokens[poll]": "the driver lacks `poll`, `auth`: alice must receive by poll (line 9)",
    "tokens[stream]": "the driver lacks `auth`: nobody shows a bad `token` (line 14)",
    "two_devices[poll]": "the driver lacks `poll`: bob must receive by poll (line 8)",
    "unacked_survives": "the driver lacks `poll`: bob must receive by poll (line 8)",
}


@pytest.fixture(scope="session")
def packages(pytestconfig, tmp_path_factory):
    """The packages of package-lock.json, installed once into pytest's cache."""
    lock = NODE / "package-lock.json"
    assert '"resolved"' not in lock.read_text(), "whoever installs it chooses where packages come from"
    name = f"node-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    cache = Path(pytestconfig.cache.mkdir("chatsim")) / name
    if not cache.exists():
        made = tmp_path_factory.mktemp("node")
        for file in ("package.json", "package-lock.json"):
            shutil.copy(NODE / file, made / file)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        mine = cache.with_name(f"{name}.{os.getpid()}")
        shutil.copytree(made / "node_modules", mine / "node_modules", symlinks=True)
        try:
            mine.rename(cache)
        except OSError:  # another process of this test run was quicker
            shutil.rmtree(mine)
    return cache / "node_modules"


@pytest.fixture(autouse=True)
def _found_by_node(packages, monkeypatch):
    monkeypatch.setenv("NODE_PATH", str(packages))


def test_the_driver_keeps_the_protocol_and_holds_a_conversation(chatsim):
    server = f"{sys.executable} -m chatsys.cli serve --port {{port}} --data {{data}} --auth none"
    ran = chatsim("check", "--driver", DRIVER, "--server", server)
    assert ran.code == 0, ran
    assert ran.out.endswith("14 rules: 14 kept, 0 broken\n")


def test_the_shipped_scenarios_pass_or_are_skipped_with_a_reason(chatsim):
    paths = played()
    ran = chatsim("run", *paths, "--speed", "max", "-j", "2", "--driver", DRIVER, timeout=PATIENCE_S)
    assert ran.code == 0, ran
    assert skips(ran) == due(SKIPS, paths)
    assert {status for status, _ in endings(ran).values()} <= {"pass", "skipped"}
    assert grades(ran, "outsider[stream]") == {"by position"}


def test_a_client_in_node_registers_joins_sends_and_receives(tmp_path):
    words = ["serve", "--port", "0", "--data", str(tmp_path / "data"), "--auth", "none"]
    command = [sys.executable, "-m", "chatsys.cli", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            port = json.loads(server.stdout.readline())["port"]
            hello = subprocess.run(
                ["node", NODE / "hello.js", f"127.0.0.1:{port}"],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        finally:
            server.terminate()
    assert hello.returncode == 0, hello.stderr
    said = json.loads(hello.stdout)
    assert said["text"] == "Hello from Node"
    assert said["sent"] == said["received"] > 0
