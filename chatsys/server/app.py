"""One server from its first to its last moment: open the log, serve, say so, drain, close.

Everything a server needs (loop, threads, gRPC objects, connections) is made inside ``main``, nothing at import:
a process that has imported this may be forked, and each child may call ``main``.
"""

import asyncio
import gc
import json
import logging
import os
import secrets
import signal
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

from grpc_health.v1 import health, health_pb2, health_pb2_grpc

import chatsys
from chatsys.server.admin import AdminService
from chatsys.server.chat import ChatService
from chatsys.server.gate import Gate, GateError, make_gate
from chatsys.server.hub import Hub, draining
from chatsys.server.info import ServerService
from chatsys.server.leaving import Leaving
from chatsys.server.limits import Guard
from chatsys.server.listener import CannotServeError, Listener
from chatsys.server.reading import Reading
from chatsys.server.rooms import RoomService
from chatsys.server.router import Router
from chatsys.server.services import House, clock_us
from chatsys.server.settings import Settings
from chatsys.server.trimming import Trimmer
from chatsys.server.users import UserService
from chatsys.server.watching import Watching, WatchingError
from chatsys.store import SqliteStore, StoreError
from chatsys.v1 import admin_pb2, chat_pb2, room_pb2, server_pb2, user_pb2

log = logging.getLogger(__name__)

INSTANCE_KEY = "chatsys-instance"
RUN_KEY = "chatsys-run"
STOP_SECONDS = 0.5
"""How long calls have that are still under way when all streams have left."""

_CONTRACT = (
    admin_pb2.DESCRIPTOR.services_by_name["AdminService"],
    chat_pb2.DESCRIPTOR.services_by_name["ChatService"],
    room_pb2.DESCRIPTOR.services_by_name["RoomService"],
    server_pb2.DESCRIPTOR.services_by_name["ServerService"],
    user_pb2.DESCRIPTOR.services_by_name["UserService"],
)
COLLECT_AFTER = 50_000
"""Objects that may be made before Python looks for cycles among them: by its default of 700 it looks thrice for each
batch of messages, which took a tenth of the server's time and found nothing."""
_ANONYMOUS = ("GetServerInfo", "RegisterUser")
_REFLECTION = "grpc.reflection.v1alpha.ServerReflection"


def main(
    settings: Settings, reading: type[Reading] = Reading, gate: Callable[[Settings], Gate] = make_gate
) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        settings: What was asked for, checked.
        reading: The reading side; a test server gives a subclass that lies.
        gate: Makes what lets callers in.

    Returns:
        The exit status: 0 after a signal, 1 when the server could not start.
    """
    gc.freeze()  # what was imported stays
    gc.set_threshold(COLLECT_AFTER)
    try:
        asyncio.run(_serve(settings, reading, gate))
    except (CannotServeError, GateError, StoreError, WatchingError) as error:
        sys.stderr.write(f"chatsys serve: {error}\n")
        return 1
    return 0


async def _serve(
    settings: Settings, make_reading: type[Reading], make_its_gate: Callable[[Settings], Gate]
) -> None:
    loop = asyncio.get_running_loop()
    leaving = Leaving(settings.drain)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leaving.ask)
    start_time_us = clock_us()
    instance_id = secrets.token_hex(8)
    watching = Watching()
    store = SqliteStore.open(settings.data, f"chatsys instance {instance_id}, process {os.getpid()}")
    try:
        hub = Hub(store.position, store.released)
        store.start(hub.publish)
        house = House(store, hub, make_reading(hub), settings.limits, instance_id, Guard(settings.limits))
        servicer = health.aio.HealthServicer()
        gate = make_its_gate(settings)
        await watching.start(settings, house)
        router = _router(settings, house, gate, start_time_us, servicer, leaving)
        router.watcher = watching.watcher
        listener = Listener(settings, router)
        port = await listener.start()
        gate.start()
        for name in ("", *(each.full_name for each in _CONTRACT)):
            await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
        _say_ready(settings, house, port, watching.port)
        log.info(
            "serving on %s:%d, log epoch %s, SQLite %s",
            settings.host,
            port,
            store.epoch,
            sqlite3.sqlite_version,
        )
        beside = (
            asyncio.create_task(Trimmer(house).run(), name="trimmer"),
            asyncio.create_task(_stop_serving_when_damaged(store, servicer), name="damage"),
            asyncio.create_task(leaving.asked(), name="leaving"),
            asyncio.create_task(listener.keep(), name="listener"),
        )
        await asyncio.wait(beside[2:], return_when=asyncio.FIRST_COMPLETED)
        if beside[3].done():
            beside[3].result()  # the port is gone
        log.info("leaving, %d streams open", len(hub.streams))
        for task in beside:
            task.cancel()
        await servicer.enter_graceful_shutdown()
        await leaving.see_off(hub)
        await listener.stop(STOP_SECONDS)
        gate.stop()
        watching.stop()
        log.info("left")
    finally:
        store.close()  # before what may take longer: the next server waits for the directory
        watching.flush()


async def _stop_serving_when_damaged(store: SqliteStore, servicer: Any) -> None:
    await store.found_damage.wait()
    for name in ("", *(each.full_name for each in _CONTRACT)):
        await servicer.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)


def _router(
    settings: Settings, house: House, gate: Gate, start_time_us: int, servicer: Any, leaving: Leaving
) -> Router:
    registration_open = settings.registration == "open" or not gate.tokens
    users = UserService(house, gate, registration_open=registration_open)
    metadata = ((INSTANCE_KEY, house.instance_id), (RUN_KEY, settings.run_id))
    router = Router(metadata, users.admit, gate.staying, lambda: draining() if house.hub.draining else None)
    router.could_not_read = house.store.could_not_read
    services = {
        "AdminService": AdminService(house, gate, leaving.ask),
        "ChatService": ChatService(house),
        "RoomService": RoomService(house),
        "ServerService": ServerService(
            house,
            start_time_us,
            router.unimplemented,
            registration_open=registration_open,
            auth_required=gate.tokens,
        ),
        "UserService": users,
    }
    for descriptor in _CONTRACT:
        router.add(descriptor, services.get(descriptor.name), _ANONYMOUS)
    router.add_foreign(lambda server: health_pb2_grpc.add_HealthServicer_to_server(servicer, server))
    router.add_late(f"/{_REFLECTION}/ServerReflectionInfo", _add_reflection)
    return router


def _add_reflection(server: Any) -> None:
    # Imported when somebody asks: few do, and every start would pay for it.
    from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc  # noqa: PLC0415  # imported when it is needed, see above

    names = [*(each.full_name for each in _CONTRACT), "grpc.health.v1.Health", _REFLECTION]
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(
        reflection.aio.ReflectionServicer(service_names=names), server
    )


def _say_ready(settings: Settings, house: House, port: int, metrics_port: int | None) -> None:
    line = {
        "event": "ready",
        "host": settings.host,
        "port": port,
        "instance_id": house.instance_id,
        "run_id": settings.run_id,
        "pid": os.getpid(),
        "version": chatsys.__version__,
        "log_epoch": house.store.epoch,
        **({} if metrics_port is None else {"metrics_port": metrics_port}),
    }
    try:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except OSError as error:
        raise CannotServeError(
            f"nobody reads the ready line: {error.strerror}; keep standard output open"
        ) from error
