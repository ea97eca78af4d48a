"""The keeper: the one process that owns every other process of an invocation.

chatsim starts it by exec, first thing, and talks to it over a Unix socket. It is a *zygote*: it imports the
Python drivers and chatsys once and then forks them, which takes milliseconds where a cold start takes a
tenth of a second. And it is a *subreaper*: whatever its children start and abandon becomes its child, so that
nothing can get away. When chatsim's end of the socket closes, for whatever reason, `kill -9` of chatsim
included, it kills all its descendants, removes the temporary directory and goes.

Invariants of the keeper process (`main`, `children`, `linux`):
* one thread, no event loop, never a gRPC channel: only then are its forks sound;
* it forks from its main thread only, since a child's parent-death signal follows the thread that forked it;
* every child is in its own process group, and dies when the keeper dies.

`launch` and `handle` are chatsim's side.
"""

from __future__ import annotations

#: The largest packet between chatsim and the keeper, bytes.
PACKET = 1 << 18
