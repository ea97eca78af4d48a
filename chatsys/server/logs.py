"""What the server logs, and how: events with fields, as text for people or as JSON for programs.

Everything goes through the standard library's logging, so that gRPC's lines look like ours. An event's fields are
its ``extra={"fields": {...}}``. Invariant: no token and no message content is a field of any event, and what looks
like a token in a text is blotted out all the same.
"""

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

from chatsys.errors import Reason
from chatsys.server.observe import RequestEnd

log = logging.getLogger("chatsys.request")

SLOW_SECONDS = 1.0
"""A call without streams that took longer is logged among the failed ones."""

_GRPC = "grpc._cython.cygrpc"
# The library's own logger: it writes down what it could not read of a call, tokens and all, and a traceback with it.
_QUOTED = re.compile(r"(?s) on b['\"].*")
# Begins where a word does: with each dash of a long one a new beginning, the time would grow with its square.
_TOKEN = re.compile(r"(?<![\w-])[\w-]{8,}\.[\w-]{8,}\.[\w-]{16,}")
_LONGEST_NAME = 128


def set_up(level: str, form: str) -> None:
    """Logs to stderr from now on.

    Args:
        level: The least level that is shown.
        form: ``text`` or ``json``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_json_formatter() if form == "json" else _Text())
    logging.getLogger(_GRPC).addFilter(_tame)
    # Replaces what there is: a forked process may have inherited its parent's.
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _tame(record: logging.LogRecord) -> bool:
    """What gRPC says of a caller: in one line, without what the caller sent."""
    record.msg, record.args = _QUOTED.sub("", record.getMessage()), ()
    record.exc_info = record.exc_text = None
    record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def request_logger(which: str) -> Callable[[RequestEnd], None]:
    """Logs calls as they end.

    Args:
        which: ``all``, or ``failed``: those that were refused or slow. Streams that their readers end are neither.
    """

    def write(end: RequestEnd) -> None:
        refusal = end.refusal
        if end.lasts:  # a reader ends its stream by cancelling it
            failed = refusal is not None and refusal.reason is not Reason.CALL_CANCELLED
        else:
            failed = refusal is not None or end.seconds > SLOW_SECONDS
        if not failed and which != "all":
            return
        fields: dict[str, Any] = {
            "method": end.method,
            "user_id": named(end.user_id),
            "room_id": named(end.room_id),
            "status": "OK" if refusal is None else refusal.code.name,
            "seconds": round(end.seconds, 6),
        }
        if refusal is not None:
            fields["reason"] = str(refusal.reason)
        fields["request_id"] = end.request_id  # last: it is long, and what is cut off is the end of a line
        log.info("request", extra={"fields": {key: value for key, value in fields.items() if value != ""}})

    return write


def named(text: str) -> str:
    """A name as a caller gave it, which may be none: short, and one word of one line."""
    if len(text) > _LONGEST_NAME:
        text = f"{text[:_LONGEST_NAME]}…"
    return text if text.isprintable() and " " not in text else repr(text)


def blot(text: str) -> str:
    """A text without tokens."""
    return _TOKEN.sub("(a token)", text)


class _Text(logging.Formatter):
    """One line: time, level, logger, event, fields."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        return blot(super().format(record) + "".join(f" {key}={value}" for key, value in fields.items()))


def _json_formatter() -> logging.Formatter:
    import structlog  # noqa: PLC0415  # dear to import; who wants text does without

    def unpack(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        record: logging.LogRecord = event["_record"]
        event["event"] = blot(str(event["event"]))
        return {**event, **getattr(record, "fields", {})}

    def blot_trace(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if "exception" in event:
            event["exception"] = blot(str(event["exception"]))
        return event

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            unpack,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            blot_trace,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
