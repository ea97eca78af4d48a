"""The table of settings: all that one server can be told, with kind, default and help; and what cannot go together.

``chatsys serve --help``, ``chatsys config``, the variables and the keys of the file are made from it.
"""

import dataclasses
import ipaddress
import os
from pathlib import Path

from chatsys.config.kinds import (
    ADDRESS,
    DIR,
    FILE,
    PORT,
    RUN_ID,
    SWITCH,
    WORD,
    duration,
    number,
    one_of,
    rate,
    size,
)
from chatsys.config.table import setting

MOST_CONTENT = 8 * 1024 * 1024
"""Bytes. Twice that is what our clients take in one frame: a larger message would be stored, and never received."""
AROUND = 1024
"""Bytes that the rest of a message takes at most: names, type and ids."""
RUN_VARIABLE = "CHATSIM_RUN"
"""Environment variable that names the run a server belongs to, unless ``--run-id`` does."""


def data_directory() -> Path:
    """Where a server keeps its log when nobody says: durable, the user's own."""
    base = os.environ.get("XDG_DATA_HOME") or ""
    return (Path(base) if base else Path.home() / ".local" / "share") / "chatsys"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """See chatsys.v1.ServerLimits; bytes, messages, seconds."""

    max_content_bytes: int = setting(size(1, MOST_CONTENT), 65_536, "content of one message")
    max_batch_messages: int = setting(number(1, 100_000), 1_000, "messages in one batch")
    max_request_bytes: int = setting(size(1024), 4 * 1024 * 1024, "one request as encoded")
    max_metadata_bytes: int = setting(size(1024), 16 * 1024, "metadata of one request")
    default_unacked_messages: int = setting(
        number(1, 1_000_000), 4_096, "window of a stream whose reader asks for none"
    )
    max_unacked_messages: int = setting(number(1, 1_000_000), 65_536, "largest window of a stream")
    default_poll_messages: int = setting(number(1, 10_000), 100, "messages of a poll that asks for no number")
    max_poll_messages: int = setting(number(1, 10_000), 1_000, "most messages of one poll")
    max_poll_wait: float = setting(duration(), 30.0, "how long a poll may wait for something new")
    send_rate: float = setting(rate(), 0.0, "messages a second that one user may send; 0 sets no limit")
    send_burst: int = setting(
        number(1, 1_000_000), 100, "messages that one user may send at once, within the rate"
    )
    max_subscriptions: int = setting(number(1, 1_000_000), 1_000, "streams and waiting polls of one user")
    max_rooms_per_user: int = setting(number(1), 10_000, "rooms that one user may be in")
    max_members_per_room: int = setting(number(1), 10_000, "members of one room")
    max_page_size: int = setting(number(1, 10_000), 1_000, "largest page of any list")
    room_max_entries: int = setting(
        number(0), 0, "newest entries that a room keeps for which nobody asked otherwise; 0 keeps all"
    )
    room_max_age: float = setting(
        duration(), 0.0, "how long such a room keeps an entry, in whole seconds; 0 keeps it for good"
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One server."""

    host: str = setting(ADDRESS, "127.0.0.1", "address to listen on")
    port: int = setting(PORT, 50_051, "port to listen on; 0 lets the system choose")
    data: Path = setting(DIR, data_directory, "where the log is kept", said="~/.local/share/chatsys")
    auth: str = setting(
        one_of("none", "tokens"),
        "none",
        "none: callers name themselves and may do everything, on loopback only; tokens: they show bearer tokens",
    )
    keys: Path | None = setting(
        DIR, None, "keys that tokens are signed with: a directory, or a file with a set", said="DATA/keys"
    )
    audience: str = setting(WORD, "chatsys", "whom tokens are for; one for another audience is refused")
    token_lifetime: float = setting(
        duration(1.0), 30 * 86_400.0, "how long a token lasts that the server makes"
    )
    registration: str = setting(
        one_of("closed", "open"), "closed", "open: whoever reaches the server may make a user, with a token"
    )
    tls_cert: Path | None = setting(
        FILE, None, "speak TLS: the server's certificate and those above it, as PEM"
    )
    tls_key: Path | None = setting(FILE, None, "the key of that certificate, as PEM")
    client_ca: Path | None = setting(
        FILE, None, "mTLS: let in only who shows a certificate that one of these vouches for, as PEM"
    )
    insecure_any_host: bool = setting(
        SWITCH,
        False,
        "let --host be any address, where whoever reaches it may be anybody, as on a private network",
    )
    run_id: str = setting(
        RUN_ID, "", "comes back in the metadata of every answer", said=f"${RUN_VARIABLE}", also=RUN_VARIABLE
    )
    log_level: str = setting(one_of("debug", "info", "warning", "error"), "info", "what to log to stderr")
    log_format: str = setting(one_of("text", "json"), "text", "text for people, or a JSON object a line")
    log_requests: str = setting(
        one_of("none", "failed", "all"), "failed", "which calls are logged; failed: those refused, or slow"
    )
    metrics_port: int | None = setting(
        PORT, None, "serve Prometheus metrics, /metrics, and /healthz there; 0 lets the system choose"
    )
    metrics_host: str = setting(ADDRESS, "127.0.0.1", "address to serve them on")
    tracing: bool = setting(
        SWITCH, False, "send OpenTelemetry traces, as OTEL_ variables say; needs chatsim[tracing]"
    )
    drain: float = setting(
        duration(0.0, 3_600.0), 2.0, "how long streams have to leave when the server is told to end"
    )
    limits: Limits = dataclasses.field(default_factory=Limits)

    @property
    def key_path(self) -> Path:
        """Where the keys are."""
        return self.keys if self.keys is not None else self.data / "keys"

    def faults(self) -> list[str]:
        """What is wrong with settings that are each well formed; whole sentences."""
        found = []
        if self.auth == "none" and not self.insecure_any_host and not is_loopback(self.host):
            found.append(
                f"--auth none lets every caller be anybody, so it listens on loopback only, not on {self.host};"
                " use --host 127.0.0.1, or add --insecure-any-host on a network where all may be trusted"
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            found.append("--tls-cert and --tls-key go together: the certificate and its key")
        if self.client_ca is not None and self.tls_cert is None:
            found.append("--client-ca is for a server that speaks TLS: add --tls-cert and --tls-key")
        limits = self.limits
        if limits.max_content_bytes + AROUND > limits.max_request_bytes:
            found.append(
                f"a message of --max-content-bytes {limits.max_content_bytes} cannot come in a request of"
                f" --max-request-bytes {limits.max_request_bytes}, with {AROUND} for what is around it"
            )
        if limits.room_max_age != int(limits.room_max_age):
            found.append("--room-max-age counts whole seconds, such as 1s, 15m or 30d")
        for default, most in (
            ("default_unacked_messages", "max_unacked_messages"),
            ("default_poll_messages", "max_poll_messages"),
        ):
            if getattr(limits, default) > getattr(limits, most):
                found.append(
                    f"{default} is {getattr(limits, default)}, beyond {most}, {getattr(limits, most)}"
                )
        return found


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
