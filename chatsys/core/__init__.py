"""The pure core of chatsys: what becomes of an entry, who may see what, what a position is.

Nothing here does I/O, reads a clock or draws a random number. ``decide(view, entry)`` is the only place that
decides; a log applies its effects in order. The same core stands behind every log.
"""

from chatsys.core.decide import decide
from chatsys.core.view import View

__all__ = ["View", "decide"]
