"""What one server is told at its start, and the limits it holds to."""

from pathlib import Path
from typing import NamedTuple


class Limits(NamedTuple):
    """See chatsys.v1.ServerLimits; bytes, messages, seconds."""

    max_content_bytes: int = 65_536
    max_batch_messages: int = 1_000
    max_request_bytes: int = 4 * 1024 * 1024
    default_unacked_messages: int = 4_096
    max_unacked_messages: int = 65_536
    default_poll_messages: int = 100
    max_poll_messages: int = 1_000
    max_poll_wait: float = 30.0
    max_page_size: int = 1_000


class Settings(NamedTuple):
    """One server."""

    host: str
    port: int
    """0 lets the system choose."""
    data: Path
    auth: str
    run_id: str
    """Comes back in the metadata of every answer; may be empty."""
    limits: Limits = Limits()
