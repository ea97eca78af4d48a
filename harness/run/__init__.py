"""Plays a plan with real processes and records what happened. The only room with a clock and an event loop.

`play.play` is the way in, `settings` what it is told. Nothing here judges: an `expect` waits and a refused step stops
the script, but whether the run passed is for the judge, who sees only the plan and the history.
"""
