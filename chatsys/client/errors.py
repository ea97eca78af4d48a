"""What a call can end with, as exceptions; and the one table that says what each status means for the caller.

Invariants:
* Every failed call raises a `ChatError`: never a bare `grpc.RpcError`.
* `definite` is true only when the operation surely did not happen. Where it is false, doing it again under
  the same id is the way to find out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

#: Reasons of the server's table that this library acts upon.
LOG_EPOCH_CHANGED: Final = "LOG_EPOCH_CHANGED"
SESSION_REPLACED: Final = "SESSION_REPLACED"
DRAINING: Final = "DRAINING"
#: Reasons that this library gives by itself, beside those of the server's table.
WRONG_SERVER: Final = "WRONG_SERVER"
HOLE_IN_STREAM: Final = "HOLE_IN_STREAM"
NO_TOKEN: Final = "NO_TOKEN"  # noqa: S105 - a word
TLS: Final = "TLS"

_DETAILS_KEY: Final = "grpc-status-details-bin"
#: What grpc.aio says by itself, as INTERNAL, when it could not write to a stream whose connection had just gone.
_NOT_WRITTEN: Final = "Internal error from Core"


class ChatError(Exception):
    """A call that did not end well.

    Attributes:
        code: the gRPC status.
        reason: a word from the server's table of reasons; empty when the server gave none.
        message: a sentence for people.
        metadata: facts about the reason, such as `limit` and `size`.
        definite: whether the operation surely did not happen.
        retry_after: seconds after which the server wants to be asked again; None when it did not say.
    """

    default_code: grpc.StatusCode = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode | None = None,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        definite: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.definite = _MEANING[self.code].definite if definite is None else definite
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without anything else changing."""
        if self.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self.retry_after is not None
        return _MEANING[self.code].retryable

    def __str__(self) -> str:
        name = f"{self.code.name} {self.reason}".rstrip()
        return f"{name}: {self.message}" if self.message else name


class InvalidArgumentError(ChatError):
    """The request is malformed or too large; the message names the field."""

    default_code = grpc.StatusCode.INVALID_ARGUMENT


class UnauthenticatedError(ChatError):
    """There is no token, or one that is not valid any more."""

    default_code = grpc.StatusCode.UNAUTHENTICATED


class PermissionDeniedError(ChatError):
    """The caller is no member of the room (which may not exist), or its role is too low."""

    default_code = grpc.StatusCode.PERMISSION_DENIED


class NotFoundError(ChatError):
    """The caller may look, and it is not there."""

    default_code = grpc.StatusCode.NOT_FOUND


class AlreadyExistsError(ChatError):
    """Something else has this id already."""

    default_code = grpc.StatusCode.ALREADY_EXISTS


class FailedPreconditionError(ChatError):
    """Not possible until the state changes."""

    default_code = grpc.StatusCode.FAILED_PRECONDITION


class LogEpochChangedError(FailedPreconditionError):
    """A position is from before the server's log was lost or restored; it means nothing any more."""


class WrongServerError(FailedPreconditionError):
    """Another server answers at this address than the one that was asked for."""


class AbortedError(ChatError):
    """Something concurrent won."""

    default_code = grpc.StatusCode.ABORTED


class SessionReplacedError(AbortedError):
    """The same user and consumer subscribed from elsewhere; this stream is over and is not opened again."""


class OutOfRangeError(ChatError):
    """Beyond what the room holds, such as an acknowledgement of what does not exist."""

    default_code = grpc.StatusCode.OUT_OF_RANGE


class ResourceExhaustedError(ChatError):
    """A limit was reached; tried again by itself only when the server said after how long."""

    default_code = grpc.StatusCode.RESOURCE_EXHAUSTED


class UnimplementedError(ChatError):
    """This server does not have the method."""

    default_code = grpc.StatusCode.UNIMPLEMENTED


class UnavailableError(ChatError):
    """No server could be reached, or it is going away, for as long as the caller wanted to wait."""

    default_code = grpc.StatusCode.UNAVAILABLE


class DeadlineExceededError(ChatError):
    """No answer within the caller's time."""

    default_code = grpc.StatusCode.DEADLINE_EXCEEDED


class CancelledError(ChatError):
    """The transport, or the closing of this client, ended the call. Not `asyncio.CancelledError`."""

    default_code = grpc.StatusCode.CANCELLED


class InternalError(ChatError):
    """The server failed at something that is no fault of the caller."""

    default_code = grpc.StatusCode.INTERNAL


class DataLossError(ChatError):
    """The server found its log damaged."""

    default_code = grpc.StatusCode.DATA_LOSS


class _Meaning(NamedTuple):
    error: type[ChatError]
    definite: bool
    retryable: bool = False


_MEANING: Final[Mapping[grpc.StatusCode, _Meaning]] = {
    grpc.StatusCode.INVALID_ARGUMENT: _Meaning(InvalidArgumentError, definite=True),
    grpc.StatusCode.UNAUTHENTICATED: _Meaning(UnauthenticatedError, definite=True),
    grpc.StatusCode.PERMISSION_DENIED: _Meaning(PermissionDeniedError, definite=True),
    grpc.StatusCode.NOT_FOUND: _Meaning(NotFoundError, definite=True),
    grpc.StatusCode.ALREADY_EXISTS: _Meaning(AlreadyExistsError, definite=True),
    grpc.StatusCode.FAILED_PRECONDITION: _Meaning(FailedPreconditionError, definite=True),
    grpc.StatusCode.OUT_OF_RANGE: _Meaning(OutOfRangeError, definite=True),
    grpc.StatusCode.UNIMPLEMENTED: _Meaning(UnimplementedError, definite=True),
    grpc.StatusCode.RESOURCE_EXHAUSTED: _Meaning(ResourceExhaustedError, definite=True),
    grpc.StatusCode.ABORTED: _Meaning(AbortedError, definite=True),
    grpc.StatusCode.UNAVAILABLE: _Meaning(UnavailableError, definite=False, retryable=True),
    grpc.StatusCode.DEADLINE_EXCEEDED: _Meaning(DeadlineExceededError, definite=False, retryable=True),
    grpc.StatusCode.CANCELLED: _Meaning(CancelledError, definite=False, retryable=True),
    grpc.StatusCode.UNKNOWN: _Meaning(ChatError, definite=False),
    grpc.StatusCode.INTERNAL: _Meaning(InternalError, definite=False),
    grpc.StatusCode.DATA_LOSS: _Meaning(DataLossError, definite=False),
}

_BY_REASON: Final[Mapping[tuple[grpc.StatusCode, str], type[ChatError]]] = {
    (grpc.StatusCode.FAILED_PRECONDITION, LOG_EPOCH_CHANGED): LogEpochChangedError,
    (grpc.StatusCode.FAILED_PRECONDITION, WRONG_SERVER): WrongServerError,
    (grpc.StatusCode.ABORTED, SESSION_REPLACED): SessionReplacedError,
}

_BY_NUMBER: Final[Mapping[int, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}


def make_error(
    code: grpc.StatusCode,
    message: str,
    *,
    reason: str = "",
    metadata: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> ChatError:
    """Return the exception of the type that belongs to this status and reason."""
    if code not in _MEANING:
        code = grpc.StatusCode.UNKNOWN
    kind = _BY_REASON.get((code, reason), _MEANING[code].error)
    return kind(message, code=code, reason=reason, metadata=metadata, retry_after=retry_after)


def from_rpc(fault: grpc.RpcError) -> ChatError:
    """Read a failed grpc.aio call: its status, and the google.rpc.Status behind it if there is one."""
    if not isinstance(fault, grpc.aio.AioRpcError):
        return make_error(grpc.StatusCode.UNKNOWN, str(fault))
    if fault.code() is grpc.StatusCode.INTERNAL and fault.details() == _NOT_WRITTEN:
        return UnavailableError("the connection broke while it was written to")
    trailers: Any = fault.trailing_metadata()
    details = next((value for key, value in trailers or () if key == _DETAILS_KEY), b"")
    return _decode(fault.code(), fault.details() or "", details)


def from_result(number: int, reason: str, message: str, details: bytes) -> ChatError:
    """Read the refusal of one message of a batch (SendMessageError)."""
    fault = _decode(_BY_NUMBER.get(number, grpc.StatusCode.UNKNOWN), message, details)
    if fault.reason or not reason:
        return fault
    return make_error(fault.code, message, reason=reason, retry_after=fault.retry_after)


def _decode(code: grpc.StatusCode, message: str, details: bytes) -> ChatError:
    reason, metadata, retry_after = "", {}, None
    try:
        status = status_pb2.Status.FromString(details)
        for detail in status.details:
            info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                reason, metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(retry):
                retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    except DecodeError:
        # Somebody between us and the server wrote the trailer; the plain status still says what happened.
        reason, metadata, retry_after = "", {}, None
    return make_error(code, message, reason=reason, metadata=metadata, retry_after=retry_after)
