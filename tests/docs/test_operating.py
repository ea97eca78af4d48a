"""The walkthrough of docs/operating.md, done as it stands, with ports of our own."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chatsys.config import settings_of
from chatsys.server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def walkthrough():
    section = PAGE.split("## From nothing")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.needs("openssl")
def test_the_walkthrough(tmp_path):
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "chatsys").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m chatsys.cli "$@"\n')
    (bin_ / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program in bin_.iterdir():
        program.chmod(0o755)
    script = walkthrough().replace("7443", free_port()).replace("9464", "0")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CHATSYS_")},
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    log = (tmp_path / "server.log").read_text()
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{log}"
    assert 'auth = "tokens"' in done.stdout
    assert "says SERVING" in done.stdout
    assert '"sub": "alice"' in done.stdout
    assert "revoked: " in done.stdout
    assert done.stderr.count("TOKEN_REVOKED") == 2, "and once more after the restore"
    assert "kept for ever" in done.stdout
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert lines[-1]["event"] == "left"
    assert len(list((tmp_path / "data" / "keys").iterdir())) == 2


def test_every_setting_it_names_is_one():
    names = {row.name for row in settings_of(Settings)}
    table = PAGE.split("## Limits")[1].split("\n## ")[0]
    assert set(re.findall(r"`([a-z]+_[a-z_]+)`", table)) <= names
    toml = PAGE.split("<<'END'\n")[1].split("END")[0]
    assert set(re.findall(r"^(\w+) =", toml, flags=re.MULTILINE)) <= names
