"""A refusal as google.rpc.Status, and back: the bytes of the ``grpc-status-details-bin`` trailer.

The google.rpc types are imported at the first error, because a server that starts has none to tell.
"""

from chatsys.errors.refusal import Refusal, Violation
from chatsys.errors.table import DOMAIN, Reason

DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata key of the serialized google.rpc.Status."""


def to_status_bytes(refusal: Refusal) -> bytes:
    """The serialized google.rpc.Status of a refusal: ErrorInfo first, then what else the table promises."""
    from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415  # see the module's docstring

    status = status_pb2.Status(code=int(refusal.code), message=refusal.message)
    status.details.add().Pack(
        error_details_pb2.ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=refusal.metadata)
    )
    if refusal.violations:
        bad = error_details_pb2.BadRequest()
        for violation in refusal.violations:
            bad.field_violations.add(field=violation.field, description=violation.description)
        status.details.add().Pack(bad)
    if refusal.resource is not None:
        kind, name = refusal.resource
        status.details.add().Pack(error_details_pb2.ResourceInfo(resource_type=kind, resource_name=name))
    if refusal.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(refusal.retry_after * 1e9))
        status.details.add().Pack(retry)
    data: bytes = status.SerializeToString()
    return data


def from_status_bytes(data: bytes) -> Refusal | None:
    """Reads what ``to_status_bytes`` wrote; None when it holds no reason of this table."""
    from google.protobuf.message import DecodeError  # noqa: PLC0415  # see the module's docstring
    from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415  # see the module's docstring

    try:
        status = status_pb2.Status.FromString(data)
    except DecodeError:
        return None
    reason: Reason | None = None
    metadata: dict[str, str] = {}
    violations: list[Violation] = []
    resource: tuple[str, str] | None = None
    retry_after: float | None = None
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        thing = error_details_pb2.ResourceInfo()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            if info.domain == DOMAIN and info.reason in Reason.__members__:
                reason, metadata = Reason[info.reason], dict(info.metadata)
        elif detail.Unpack(bad):
            violations += [Violation(each.field, each.description) for each in bad.field_violations]
        elif detail.Unpack(thing):
            resource = (thing.resource_type, thing.resource_name)
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToNanoseconds() / 1e9
    if reason is None:
        return None
    return Refusal(
        reason,
        status.message,
        metadata=metadata,
        violations=violations,
        resource=resource,
        retry_after=retry_after,
    )
