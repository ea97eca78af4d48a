"""What the files around the image say of each other. That it builds and runs is shown by .ci/image."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from chatsys.cli.health import health
from chatsys.config import read
from chatsys.server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def copied() -> list[str]:
    """What the Dockerfile copies from the repository."""
    found = []
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE):
        found += line.split()[:-1]
    return found


def test_the_build_is_sent_what_it_copies_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert sorted(copied()) == sorted(line[1:] for line in lines if line.startswith("!"))
    assert [name for name in copied() if not (ROOT / name).exists()] == []


def test_one_port() -> None:
    (port,) = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, flags=re.MULTILINE)
    (server,) = (option for option in health.params if option.name == "server")
    assert Settings().port == int(port)
    assert server.default == f"127.0.0.1:{port}"
    assert COMPOSE["suite"]["command"][-1] == f"server:{port}"


def test_compose_serves_with_options_that_exist() -> None:
    command = COMPOSE["server"]["command"]
    assert command[:2] == ["chatsys", "serve"]
    given = read(Settings, command[2:], {}).settings
    assert given.insecure_any_host


def test_both_services_have_no_privilege() -> None:
    for service in COMPOSE.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
