"""One example for each verb, in the words of a file: the manual shows them, and a test reads every one.

Each is a list of steps. They may speak of the clients alice, bob, chad and doug, of the rooms lobby (alice, bob and
chad) and garden (alice), and of a message `hello` and a series `line`, which were sent before.
"""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "connect": """\
- connect: [alice, bob]             # both at once; done when both are ready
- connect: doug
  refused: UNAUTHENTICATED          # the step fails unless the server says so
""",
    "disconnect": """\
- disconnect: bob
""",
    "send": """\
- send: Is anybody there?
  from: alice
  to: garden                        # may be left out where there is one room only
  id: question
- send: "tick ${n}"
  from: bob
  to: lobby
  id: tick                          # tick.1, tick.2, tick.3; all of them: tick.*
  repeat: 3
  every: 50ms
""",
    "expect": """\
- expect: hello
  received_by: [bob, chad]
  not_by: doug
  within: 2s
- expect: line.*                    # all of the series
  received_by: bob
""",
    "wait": """\
- wait: 2s
""",
}
