"""Making the keeper's memory worth sharing with the children it forks.

A page stays shared until one side writes to it. What a child allocates would land in the gaps between the
keeper's own objects, one here and one there, and each would cost the child a whole page. So the keeper fills its
gaps before it forks: then children allocate side by side, on pages of their own. Together with a rehearsal (see
`harness/drivers/rehearsal.py`) this takes a client's process from 5.9 to 4.7 MiB of its own.

Filling is best effort: with another allocator it does little, but it always ends and never does harm.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Final

#: Python hands out blocks of up to so many bytes from pools of its own, one pool for each multiple of the step.
_SMALL: Final = 512
_STEP: Final = 16
#: So much is taken at a time; a pool has 16 KiB.
_PIECE: Final = 12_000
#: At most so many bytes of one size; a keeper has some 50,000 to fill.
_ENOUGH: Final = 1 << 20
#: The largest gap in the C heap that is filled in one go.
_LARGE: Final = 1 << 16
#: What malloc puts before each block.
_HEADER: Final = 8

_BYTES: Final = sys.getsizeof(b"")
_held: Final[list[list[object]]] = []


def settle() -> None:
    """Collect the garbage, keep the collector from what is left, and fill the gaps. Call it last before forking."""
    gc.collect()
    gc.freeze()  # the collector writes into every object it looks at
    for size in range(_STEP, _SMALL + 1, _STEP):
        _fill_pools(size)
    _fill_heap()
    gc.freeze()


def _fill_pools(size: int) -> None:
    count = _PIECE // size
    half = count // 2
    for _ in range(_ENOUGH // _PIECE):
        piece: list[object] = [None] * count
        for index in range(count):
            piece[index] = _block(size)
        # Only a fresh pool has so much in one piece. The first half may lie where something short-lived was.
        if id(piece[-1]) - id(piece[half]) == size * (count - 1 - half):
            return  # and give these back: it is where children begin
        _held.append(piece)


def _block(size: int) -> object:
    """Return a new object that occupies one block of this size."""
    if size == 16:
        return object()
    return float(size) if size == 32 else bytes(size - _BYTES)


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc; of its ten numbers only the last is of use here."""

    _fields_ = (("before", ctypes.c_size_t * 9), ("keepcost", ctypes.c_size_t))


def _fill_heap() -> None:
    libc = ctypes.CDLL(None)
    try:
        malloc, free, mallinfo, sbrk = libc.malloc, libc.free, libc.mallinfo2, libc.sbrk
    except AttributeError:  # not glibc, or one from before 2021
        return
    malloc.restype, malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    free.restype, free.argtypes = None, (ctypes.c_void_p,)
    mallinfo.restype, sbrk.restype = _MallocInfo, ctypes.c_void_p
    # Beyond this lies what was never handed out.
    fresh = sbrk(0) - mallinfo().keepcost
    for size in range(_LARGE, _STEP, -_STEP):
        while (block := malloc(size - _HEADER)) is not None and block < fresh:
            pass  # held for good
        free(block)
