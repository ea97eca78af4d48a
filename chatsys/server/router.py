"""``Router``: the table from method names to handlers, made from the contract and the code that is there.

Every answer passes here, so here is what all have in common: the metadata that says which server it is, who
calls, errors as google.rpc.Status, and that nothing escapes as a traceback. A method of the contract that no
service has is answered UNIMPLEMENTED and listed by ``unimplemented``.
"""

import asyncio
import logging
import re
import secrets
import sqlite3
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, TypeAlias, cast

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from chatsys.errors import Reason, Refusal
from chatsys.errors.wire import DETAILS_KEY, to_status_bytes
from chatsys.server.call import Call, Context
from chatsys.server.observe import REQUEST_KEY, RequestEnd, RequestIds, Watcher
from chatsys.store import faults

log = logging.getLogger(__name__)

Method = Callable[[Any, Call], Awaitable[Any]]
Metadata = tuple[tuple[str, str], ...]
Admit = Callable[[Call, bool], Awaitable[None]]
Parse = Callable[[bytes], Any]
Staying = Callable[[Call], AbstractContextManager[None]]

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic in the stubs only

_LASTING = ("Poll",)
"""Methods without a response stream that may wait for long."""

_OFTEN = ("SendMessage", "AckMessages")
"""Methods that are called so often that who answered is said at the end of the answer: see ADR 22."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Router(grpc.GenericRpcHandler):
    """Finds the handler of a method.

    Args:
        metadata: Of every answer.
        admit: Called before each method, with whether it needs a caller; raises ``Refusal`` or returns.
        staying: Around a call that may last.
        draining: Whether to refuse all.
    """

    def __init__(
        self, metadata: Metadata, admit: Admit, staying: Staying, draining: Callable[[], Refusal | None]
    ) -> None:
        self.unimplemented: list[str] = []
        self.could_not_read: Callable[[sqlite3.Error], Refusal] = _could_not_read
        self._metadata = metadata
        self._admit = admit
        self._staying = staying
        self._ids = RequestIds(dict(metadata).get("chatsys-instance", "")[:8])
        self.watcher: Watcher | None = None
        """Is told of each call that has ended."""
        self._draining = draining
        self._handlers: dict[str, Handler] = {}
        self._late: dict[str, Callable[[], None]] = {}

    def add(self, descriptor: ServiceDescriptor, service: object, anonymous: Sequence[str] = ()) -> None:
        """Serves one service of the contract.

        Args:
            descriptor: From the generated code.
            service: Has a coroutine function ``snake_case(request, call)`` for each method it implements. It
                answers a message or its bytes; one with a response stream writes to the call and answers None.
            anonymous: Methods that need no caller.
        """
        for method in descriptor.methods:
            path = f"/{descriptor.full_name}/{method.name}"
            function: Method | None = getattr(service, _snake(method.name), None)
            if function is None:
                self.unimplemented.append(path[1:])
                function = _unimplemented(path[1:])
            self._handlers[path] = self._handler(method, function, known=method.name not in anonymous)

    def add_foreign(self, register: Callable[[Any], None]) -> None:
        """Serves a service with handlers of its own, such as health.

        Args:
            register: A generated ``add_…Servicer_to_server`` with its servicer already in.
        """
        for path, handler in _collect(register).items():
            self._handlers[path] = self._foreign(handler)

    def add_late(self, path: str, register: Callable[[Any], None]) -> None:
        """The same for a method that few call: ``register`` is only called at its first call."""
        self._late[path] = lambda: self.add_foreign(register)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        """What gRPC asks for every call."""
        path = handler_call_details.method
        late = self._late.pop(path, None)
        if late is not None:
            late()
        return self._handlers.get(path)

    def _handler(self, method: MethodDescriptor, function: Method, *, known: bool) -> Handler:
        streams = method.server_streaming
        lasts = streams or method.name in _LASTING
        often = method.name in _OFTEN
        name = f"{method.containing_service.name}/{method.name}"
        read = _all_read if method.client_streaming else _read
        parse = GetMessageClass(method.input_type).FromString

        async def handle(data: Any, context: Context) -> Any:
            began = time.perf_counter()
            request = answer = refusal = None
            call = Call(context, self._metadata)
            try:
                if streams:
                    await call.greet()
                leaving = self._draining()
                if leaving is not None:
                    raise leaving  # noqa: TRY301  # one place turns refusals into statuses: below
                await self._admit(call, known)
                request = read(parse, data)
                if lasts:
                    with self._staying(call):
                        answer = await function(request, call)
                else:
                    answer = await function(request, call)
                if answer is not None and not isinstance(answer, bytes):
                    answer = answer.SerializeToString()
                if often:
                    call.sign()
                else:
                    await call.greet()
            except Refusal as caught:
                refusal = caught.bare()
            except (asyncio.CancelledError, grpc.aio.InternalError):
                # Cancelled, or nothing can be written to it any more. Left to gRPC it may keep the caller waiting for
                # ever.
                refusal = call.ending or Refusal(Reason.CALL_CANCELLED, "the call was cancelled")
            except sqlite3.Error as error:
                refusal = self.could_not_read(error)
            except Exception:  # the caller gets a number, and the log the rest of it
                error_id = secrets.token_hex(8)
                log.exception("error %s in %s", error_id, method.full_name)
                refusal = Refusal.bug(error_id)
            if self.watcher is not None or refusal is not None:
                request_id = self._ids.get(call.request_id)
                if self.watcher is not None:
                    room_id = getattr(request, "room_id", "")
                    seconds = time.perf_counter() - began
                    self.watcher(
                        RequestEnd(
                            name, lasts, request_id, call.user_id, room_id, refusal, seconds, call.parent
                        )
                    )
                if refusal is not None:
                    del data, request  # what gRPC raises now holds on to this frame, and the call to that
                    await _abort(call, refusal, request_id)
            return answer

        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[method.client_streaming, streams]
        # No serializer: what is answered is bytes already. No deserializer: what gRPC cannot read, it calls UNKNOWN.
        return make(handle)

    def _foreign(self, handler: Any) -> Any:
        parse = handler.request_deserializer
        if handler.unary_unary is not None:
            inner = handler.unary_unary

            async def one(data: Any, context: Context) -> Any:
                call = Call(context, self._metadata)
                await call.greet()
                refusal = None
                try:
                    request = _read(parse, data)
                except Refusal as caught:
                    refusal = caught.bare()
                if refusal is not None:
                    del data
                    await _abort(call, refusal, self._ids.get(call.request_id))
                return await inner(request, context)

            return handler._replace(unary_unary=one, request_deserializer=None)
        kind = "stream_stream" if handler.stream_stream is not None else "unary_stream"
        stream = getattr(handler, kind)
        read = _all_read if kind == "stream_stream" else _read

        async def many(data: Any, context: Context) -> None:
            call = Call(context, self._metadata)
            await call.greet()
            refusal = None
            try:
                answers = stream(read(parse, data), context)
                if hasattr(answers, "__aiter__"):
                    async for answer in answers:
                        await context.write(answer)
                else:
                    await answers
            except Refusal as caught:
                refusal = caught.bare()
            if refusal is not None:
                del data
                await _abort(call, refusal, self._ids.get(call.request_id))

        return handler._replace(**{kind: many}, request_deserializer=None)


def _could_not_read(error: sqlite3.Error) -> Refusal:
    return faults.refusal_of(error, "read")


def _read(parse: Parse, data: bytes) -> Any:
    """A request from its bytes.

    Raises:
        Refusal: FIELD_INVALID; they are none.
    """
    try:
        return parse(data)
    except DecodeError as error:
        raise Refusal.field("request", "is not a message of this method: its bytes cannot be read") from error


async def _all_read(parse: Parse, requests: AsyncIterable[bytes]) -> AsyncGenerator[Any, None]:
    # What gRPC reads by holds on to itself, and to what was read last, until it is closed.
    async with aclosing(cast("AsyncGenerator[bytes, None]", aiter(requests))) as received:
        async for data in received:
            yield _read(parse, data)


async def _abort(call: Call, refusal: Refusal, request_id: str) -> None:
    code = _CODES[int(refusal.code)]
    trailer = ((DETAILS_KEY, to_status_bytes(refusal)), (REQUEST_KEY, request_id))
    try:
        await call.greet()
        await call.context.abort(code, refusal.message, trailing_metadata=trailer)
    except grpc.aio.InternalError:
        raise asyncio.CancelledError from None  # the caller is gone; gRPC would write a line about that


def _unimplemented(method: str) -> Method:
    async def refuse(request: Any, call: Call) -> None:  # noqa: ARG001  # the shape of a method
        raise Refusal(
            Reason.NOT_IMPLEMENTED, f"this build does not have {method}", metadata={"method": method}
        )

    return refuse


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _collect(register: Callable[[Any], None]) -> dict[str, Any]:
    """The handlers that a generated ``add_…_to_server`` would give to a server."""
    found: dict[str, Any] = {}

    class _Server:
        def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
            """Older generated code; gives the same handlers once more."""

        def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
            found.update({f"/{service}/{name}": handler for name, handler in handlers.items()})

    register(_Server())
    return found
