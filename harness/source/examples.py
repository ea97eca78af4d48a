"""One example for each verb, in the words of a file: the manual shows them, and a test reads every one.

Each is a list of steps. They may speak of the clients alice, bob, chad, doug and erin (who reads and acknowledges by
hand), of the rooms lobby (all but doug; alice is its admin) and garden (alice; open to all), and of a message `hello`
and a series `line` in the lobby, which were sent before.
"""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "connect": """\
- connect: [alice, bob]             # both at once; done when both are ready
- connect: doug
  within: 30s                       # who may take a while
""",
    "disconnect": """\
- disconnect: bob
""",
    "create": """\
- create: cellar
  by: alice                         # who is its admin
  members: [bob, chad]
  history: whole_room
""",
    "join": """\
- join: bob
  room: garden                      # which is open to all
""",
    "leave": """\
- leave: bob
  room: lobby
""",
    "add": """\
- add: doug                         # a user, online or not
  room: lobby
  by: alice                         # an admin
""",
    "kick": """\
- kick: [bob, chad]
  room: lobby
  by: alice
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
- connect: doug
- send: Let me in!
  from: doug                        # who is no member of the lobby
  to: lobby
  refused: PERMISSION_DENIED        # the step fails unless the server says so
""",
    "resend": """\
- resend: hello                     # by its sender, the same message once more: everybody has it once
- resend: line.*
  outcome: any
""",
    "poll": """\
- poll: erin
  gets: [hello, line.*]             # exactly this
- poll: erin
  gets: []                          # and now nothing new
""",
    "ack": """\
- poll: erin
- ack: erin
  through: hello                    # the later ones come again after a reconnect
- ack: erin                         # all received so far
""",
    "expect": """\
- expect: hello
  received_by: [bob, chad]
  not_by: doug
  within: 2s
- expect: line.*                    # all of the series
  received_by: bob
""",
    "gone": """\
- gone: [hello, line.*]             # the server was told to keep less: see `server`
""",
    "wait": """\
- wait: 2s
- pause: bob
  for: 500ms
  id: nap
- wait: nap                         # until bob goes on
""",
    "parallel": """\
- parallel:
    talk:
      - send: "still here ${n}"
        from: alice
        to: lobby
        id: talk
        repeat: 10
        every: 50ms
        outcome: any                # the server may be down
    trouble:
      - restart: server
        at: 200ms                   # since the lanes began
""",
    "rotate_keys": """\
- rotate_keys: add                  # clients that connect now show tokens of the new key
- rotate_keys: retire               # who still shows an older token is turned out
- disconnect: alice
- connect: alice                    # with a token of the new key
""",
    "kill": """\
- kill: [server, bob]               # both at once
- start: [server, bob]
- kill: bob
  signal: SIGTERM
  for: 500ms                        # starts again by itself
""",
    "start": """\
- kill: server
- start: server
""",
    "restart": """\
- restart: [server, bob]            # told to go, and started again
""",
    "pause": """\
- pause: bob
- resume: bob
- pause: server
  for: 2s
""",
    "resume": """\
- pause: [alice, bob]
- resume: [alice, bob]
""",
    "cut": """\
- cut: bob                          # both ways; nothing is reset, all of it comes later
  for: 2s
  id: outage
- wait: outage
- cut: {any: 2}                     # drawn by the seed
  direction: to_server              # they hear everything, and nobody hears them
  for: 500ms
""",
    "slow": """\
- slow: [alice, bob]
  latency: 200ms                    # each way
  jitter: 50ms
- slow: server                      # everybody
  rate: 50KB/s
  for: 3s
""",
    "refuse": """\
- refuse: bob
  for: 1s
- reset: bob                        # and he cannot come back for a second
""",
    "half_open": """\
- half_open: bob                    # he believes that he is connected
  for: 2s
""",
    "reset": """\
- reset: [alice, bob]
""",
    "heal": """\
- cut: [alice, bob]
  id: outage
- slow: chad
  latency: 1s
- heal: [outage, chad]              # a fault, and all faults on a client
""",
    "disk_full": """\
- disk_full: server
  for: 500ms
""",
    "read_only": """\
- read_only: server
  id: locked
- heal: locked
""",
    "lose": """\
- lose: response                    # it is stored, and alice is not told
  of: SendMessage
  by: alice
- lose: request                     # nor does the second try arrive
  of: SendMessage
  by: alice
  nth: 1
  id: second
- {send: again and again, from: alice, to: lobby, within: 5s}
- wait: second
""",
    "delay": """\
- delay: response
  of: SendMessage
  by: alice
  for: 300ms
""",
    "duplicate": """\
- duplicate: request
  of: chatsys.v1.ChatService/SendMessage
""",
    "goaway": """\
- goaway: [alice, bob]
""",
}
