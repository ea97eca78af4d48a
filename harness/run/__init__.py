"""Plays a plan with real processes and records what happened. The only room with a clock and an event loop.

`play` is the way in. Nothing here judges: an `expect` waits and a refused step stops the script, but whether
the run passed is for the judge, who sees only the plan and the history.
"""

from harness.run.play import play
from harness.run.settings import CouldNotRunError, Settings

__all__ = ["CouldNotRunError", "Settings", "play"]
