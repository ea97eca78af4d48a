"""`chatsys health`: ask a server whether it serves. For whoever watches over one: a container, a supervisor.

It speaks the standard health protocol of gRPC, so it asks any gRPC server that has it, and needs no user.
"""

from __future__ import annotations

import contextlib

import click

from chatsys.cli.talking import REFUSED, SECONDS, SERVER, UNANSWERED, given_tls, trusting

_BACKOFF = tuple(f"grpc.{name}_reconnect_backoff_ms" for name in ("initial", "max"))


@click.command(
    epilog="""\b
Examples:
  chatsys health
  chatsys health --server 127.0.0.1:7777 --timeout 1s
  chatsys serve & chatsys health --within 10           # go on as soon as it serves

\b
Exit codes: 0 it serves · 1 it says that it does not, as while it stops · 3 no answer"""
)
@click.option(
    "--server",
    type=SERVER,
    envvar="CHATSYS_SERVER",
    default="127.0.0.1:50051",
    show_default=True,
    help="Where the server listens. [env: CHATSYS_SERVER]",
)
@click.option(
    "--timeout", type=SECONDS, default=2.0, show_default=True, help="How long to wait for an answer."
)
@click.option(
    "--within",
    type=SECONDS,
    default=0.0,
    help="How long a server that starts may take before it is asked. [default: none]",
)
@trusting
def health(server: str, timeout: float, within: float) -> None:
    """Ask a server whether it serves."""
    tls = given_tls()
    # gRPC takes 60 ms to import; --help does without.
    import grpc  # noqa: PLC0415  # imported when it is needed, see above
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415  # imported when it is needed, see above

    # A proxy for the way out of this machine is no way to a server that is asked for its health.
    options = [("grpc.enable_http_proxy", 0)]
    if within:  # its port is tried ten times a second
        options += [(name, 100) for name in _BACKOFF]
    made = (
        grpc.insecure_channel(server, options=options)
        if tls is None
        else grpc.secure_channel(server, tls.credentials(), options=options)
    )
    with made as channel:
        if within:
            with contextlib.suppress(grpc.FutureTimeoutError):  # why, the question itself tells
                grpc.channel_ready_future(channel).result(within)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=timeout
            )
        except grpc.RpcError as fault:
            from chatsys.client.tls import explain  # noqa: PLC0415 - only who fails needs it

            details = fault.details() or ""
            said = f"{fault.code().name}: {explain(details, server, speaks_tls=tls is not None) or details}"
            click.echo(f"chatsys: {server} gave no answer: {said}", err=True)
            raise SystemExit(UNANSWERED) from None
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    click.echo(f"chatsys: {server} says {status}")
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise SystemExit(REFUSED)
