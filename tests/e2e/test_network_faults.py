"""Faults on the network, played with real processes: what each verb does, and what the history says of it."""

HEAD = """
scenario: Made for a test
clients: [alice, bob, chad]
rooms: {lobby: [alice, bob, chad]}
"""


def nemesis(history):
    """(verb, how, targets, connections) of everything the nemesis did."""
    return [
        (op["f"], op["type"], op["value"]["targets"], op["value"].get("connections"))
        for op in history
        if op["process"] == "nemesis" and op["type"] != "invoke"
    ]


def test_every_network_fault_strikes_whom_it_names_and_is_healed_before_everybody_is_read(chatsim, scenario):
    steps = """
steps:
  - connect: [alice, bob, chad]
  - reset: bob
  - send: one
    from: bob
    id: one
    within: 10s
  - refuse: server
    id: closed
  - half_open: chad
  - send: two
    from: alice
    id: two
  - expect: two
    received_by: bob
  - expect: two
    not_by: chad
    within: 50ms
  - heal: chad
  - heal: closed
  - expect: two
    received_by: chad
    within: 10s
  - slow: server
    latency: 5ms
    rate: 500KB/s
  - cut: {any: 2}
    direction: from_server
    for: 100ms
    id: short
  - wait: short
  - cut: bob
  - send: three
    from: alice
    id: three
inboxes: {bob: [two, three], chad: [one, two, three]}
"""
    ran = chatsim("run", scenario(HEAD + steps), "--seed", "7")
    assert ran.code == 0, ran
    history = ran.history()
    did = nemesis(history)
    assert [(verb, how) for verb, how, _, _ in did if verb != "heal"] == [
        (verb, "ok") for verb in ("reset", "refuse", "half_open", "slow", "cut", "cut")
    ]
    assert did[0] == ("reset", "ok", ["bob"], {"bob": [1]})
    assert did[1][3] == {"alice": [1], "bob": [2], "chad": [1]}
    assert did[2] == ("half_open", "ok", ["chad"], {"chad": [1]})
    drawn = next(op["value"]["targets"] for op in history if op["value"].get("id") == "short")
    assert len(drawn) == 2
    assert {"alice", "bob", "chad"}.issuperset(drawn)
    final = next(op["index"] for op in history if op["f"] == "final")
    fence = next(op["index"] for op in history if op["f"] == "fence" and op["index"] > final)
    late = [op for op in history if op["f"] == "heal" and op["type"] == "ok" and op["index"] > final]
    assert [op["value"]["targets"] for op in late] == [["server"], ["bob"]]
    assert all(op["index"] < fence for op in late)
