"""Flags, variables and file: which counts, what is a fault, and that what is shown can be read again."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsys.config import ConfigError, read, settings_of
from chatsys.config.kinds import duration, show_duration
from chatsys.config.show import help_text, show, show_json
from chatsys.server.settings import Settings

NOT_SO_OPEN = (
    "--auth none lets every caller be anybody, so it listens on loopback only, not on 192.0.2.1; use --host"
    " 127.0.0.1, or add --insecure-any-host on a network where all may be trusted"
)


def faults(argv=(), environ=None):
    with pytest.raises(ConfigError) as caught:
        read(Settings, list(argv), environ or {})
    return list(caught.value.faults)


def test_flags_before_variables_before_the_file_before_defaults(tmp_path):
    file = tmp_path / "chatsys.toml"
    file.write_text('port = 1\nlog_level = "error"\nmax_poll_wait = "5s"\n')
    environ = {"CHATSYS_CONFIG": str(file), "CHATSYS_PORT": "2", "CHATSYS_LOG_LEVEL": "debug"}
    configuration = read(Settings, ["--port", "3"], environ)
    settings, origins = configuration
    assert (settings.port, settings.log_level, settings.limits.max_poll_wait) == (3, "debug", 5.0)
    assert settings.limits.max_page_size == 1_000
    assert [origins[name] for name in ("port", "log_level", "max_poll_wait", "max_page_size")] == [
        "--port",
        "CHATSYS_LOG_LEVEL",
        f"{file}: max_poll_wait",
        "default",
    ]


def test_all_faults_at_once(tmp_path):
    file = tmp_path / "chatsys.toml"
    file.write_text('prot = 1\nmax_page_size = 0\nhost = ["a"]\n')
    found = faults(
        ["--config", str(file), "--prot", "7", "--log-level=loud", "--max-poll-wait", "5", "--data"],
        {"CHATSYS_MAX_REQUEST_BITES": "1", "CHATSYS_HOST": "192.0.2.1", "CHATSYS_TOKEN": "a client's"},
    )
    assert found == [
        "'--prot' is no option here; did you mean --port?",
        "--data needs a value",
        "CHATSYS_MAX_REQUEST_BITES in the environment is no setting; did you mean CHATSYS_MAX_REQUEST_BYTES?",
        f"{file}: prot is no setting; did you mean port?",
        f"{file}: host is a list; give one value",
        f"{file}: max_page_size: '0' is no number from 1 to 10000",
        "--log-level: 'loud' is not known here; choose from debug, info, warning, error",
        "--max-poll-wait: '5' is no time from 0s to 3650d, such as 500ms, 30s, 15m, 12h or 30d",
        NOT_SO_OPEN,
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("a = [", "is no TOML: "), (None, "cannot be read: No such file or directory")],
)
def test_a_file_that_is_none(tmp_path, text, sentence):
    file = tmp_path / "chatsys.toml"
    if text is not None:
        file.write_text(text)
    (fault,) = faults(["--config", str(file)])
    assert sentence in fault
    assert str(file) in fault


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (
            ["--max-content-bytes", "8MiB"],
            "a message of --max-content-bytes 8388608 cannot come in a request",
        ),
        (["--max-content-bytes", "4MiB"], "of --max-request-bytes 4194304, with 1024 for what is around it"),
        # Clients take frames of 16 MiB: what is larger would be stored, and never received.
        (
            ["--max-content-bytes", "9MiB", "--max-request-bytes", "1GiB"],
            "is no size from 1 to 8388608 bytes",
        ),
        (["--max-unacked-messages", "7"], "default_unacked_messages is 4096, beyond max_unacked_messages, 7"),
    ],
)
def test_what_cannot_go_together(argv, sentence):
    (fault,) = faults(argv)
    assert sentence in fault


def test_what_an_orchestrator_puts_there_is_no_setting():
    environ = {
        "CHATSYS_PORT": "tcp://127.0.0.1:50051",
        "CHATSYS_PORT_50051_TCP_ADDR": "127.0.0.1",
        "CHATSYS_SERVICE_HOST": "127.0.0.1",
    }
    assert read(Settings, [], environ).settings.port == 50_051


def test_a_switch_may_stand_alone_or_have_a_value():
    def any_host(*argv):
        return read(Settings, argv, {}).settings.insecure_any_host

    assert any_host("--insecure-any-host", "--port", "1") is True
    assert any_host("--insecure-any-host=false") is False
    assert faults(["--insecure-any-host=yes"]) == ["--insecure-any-host: 'yes' is neither true nor false"]


def test_what_is_shown_is_a_file_that_says_the_same(tmp_path):
    argv = [
        "--port",
        "7",
        "--max-poll-wait",
        "1500ms",
        "--send-rate",
        "20",
        "--insecure-any-host",
        "--data",
        '/a "b" ü',
    ]
    first = read(Settings, argv, {})
    file = tmp_path / "shown.toml"
    file.write_text(show(first))
    second = read(Settings, ["--config", str(file)], {})
    assert second.settings == first.settings
    assert "\nsend_rate = 20.0 " in show(first)
    assert json.loads(show_json(first))["port"] == {"value": "7", "origin": "--port"}


def test_every_setting_is_in_the_help_and_has_one_name():
    rows = settings_of(Settings)
    text = help_text(rows, "chatsys serve", "")
    assert all(f"  {row.flag}" in text for row in rows)
    assert len({row.name for row in rows}) == len(rows)
    assert {field.name for field in dataclasses.fields(Settings)} - {"limits"} <= {row.name for row in rows}


@given(st.integers(0, 10**7))
def test_a_shown_time_is_read_as_the_same(milliseconds):
    kind = duration()
    assert kind.parse(show_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


def test_the_command():
    ran = subprocess.run(
        [sys.executable, "-m", "chatsys.cli", "config", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={"HOME": str(Path.home()), "PYTHONPATH": ":".join(sys.path)},
    )
    assert 'host = "127.0.0.1"                                # default\n' in ran.stdout
    assert "port = 0                                          # --port\n" in ran.stdout
