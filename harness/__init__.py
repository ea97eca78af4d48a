"""chatsim: plays chat scenarios against a real chat system and judges what everyone received.

The rooms of the house, in the order in which data passes through them (imports only go down this list's
dependencies, see docs/architecture.md):

* `model`    pure data: spans, plans, histories, verdicts.
* `source`   YAML text -> plans, or diagnostics with line and column.
* `verbs`    one file a verb: its keys, its checks, its sentence, how it is played.
* `keeper`   the one process that owns all processes of a run; forks, execs, reaps, cleans.
* `drivers`  programs that play one client each, speaking JSON lines.
* `run`      plays a plan with real processes and records a history. The only room with a clock.
* `judge`    plan + history -> verdicts. Pure.
* `report`   plan + history + verdicts -> terminal, JSON, JUnit.
* `cli`      thin commands over all of it.
"""

__version__ = "0.1.0"
