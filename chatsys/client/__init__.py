"""The async client library: `Client`, what it returns, and what it raises.

Importing it starts no thread, opens no loop and makes no gRPC object: a process may import it and then fork.
"""

from __future__ import annotations

from chatsys.client.caller import DEFAULT_WITHIN, Caller
from chatsys.client.client import Client, Notice, Outgoing, Sent
from chatsys.client.credentials import TokenSource
from chatsys.client.errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledError,
    ChatError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    LogEpochChangedError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceExhaustedError,
    SessionReplacedError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
    WrongServerError,
)
from chatsys.client.place import Delta, Place
from chatsys.client.polling import Polled
from chatsys.client.retry import RetryPolicy
from chatsys.client.rooms import Changed, RoomCaller
from chatsys.client.stream import EpochChanged, Frame, Lost, Progress, Restored, Stream, Update
from chatsys.client.tls import Tls
from chatsys.client.transport import Expectation, Identity

__all__ = [
    "DEFAULT_WITHIN",
    "AbortedError",
    "AlreadyExistsError",
    "Caller",
    "CancelledError",
    "Changed",
    "ChatError",
    "Client",
    "DataLossError",
    "DeadlineExceededError",
    "Delta",
    "EpochChanged",
    "Expectation",
    "FailedPreconditionError",
    "Frame",
    "Identity",
    "InternalError",
    "InvalidArgumentError",
    "LogEpochChangedError",
    "Lost",
    "NotFoundError",
    "Notice",
    "OutOfRangeError",
    "Outgoing",
    "PermissionDeniedError",
    "Place",
    "Polled",
    "Progress",
    "ResourceExhaustedError",
    "Restored",
    "RetryPolicy",
    "RoomCaller",
    "Sent",
    "SessionReplacedError",
    "Stream",
    "Tls",
    "TokenSource",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "Update",
    "WrongServerError",
]
