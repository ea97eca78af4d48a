"""Faults on single calls, played with real processes: each strikes the call it names, and no other."""

HEAD = """
scenario: Made for a test
clients: [alice, bob]
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
"""


def test_each_fault_strikes_its_call_and_says_so(chatsim, scenario):
    steps = """
  - {lose: request, of: SendMessage, by: alice, nth: 2, id: unheard}
  - {send: one, from: alice, id: one}
  - {send: two, from: alice, id: two, within: 5s}
  - wait: unheard
  - {duplicate: request, of: ChatService/SendMessage, id: twice}
  - {send: three, from: bob, id: three}
  - wait: twice
  - {delay: response, of: SendMessage, by: [alice, bob], for: 100ms, id: late}
  - {send: four, from: bob, id: four}
  - goaway: [alice, bob]
  - {send: five, from: alice, id: five, within: 5s}
  - {restart: server, when: {received: five, by: bob}}
  - {send: six, from: alice, id: six, within: 10s}
inboxes: {bob: [one, two, five, six], alice: [three, four]}
"""
    ran = chatsim("run", scenario(HEAD + steps), "--speed", "max")
    assert ran.code == 0, ran
    history = ran.history()
    fired = [op["value"] for op in history if op["f"] == "fired"]
    assert [(each["id"], each["by"], each["of"]) for each in fired] == [
        ("unheard", "alice", "SendMessage"),
        ("twice", "bob", "SendMessage"),
        ("late", "bob", "SendMessage"),
    ]
    times = {
        (op["value"]["id"], op["type"]): op["time"]
        for op in history
        if op["f"] == "send" and op["value"]["id"] == "four"
    }
    assert times["four", "ok"] - times["four", "invoke"] >= 100_000_000
    assert (
        next(verdict for verdict in ran.verdicts()["verdicts"] if verdict["name"] == "faults")["exercised"]
        == 3
    )


def test_a_fault_that_never_finds_its_call_leaves_the_run_unknown_and_waiting_for_it_says_what_came(
    chatsim, scenario
):
    steps = """
  - {lose: response, of: SendMesage, by: alice, id: misspelt}
  - {send: one, from: alice, id: one}
"""
    ran = chatsim("run", scenario(HEAD + steps + "inboxes: {bob: [one]}\n"))
    assert ran.code == 4, ran
    assert "`misspelt` (lose the response) never found its call" in ran.text
    assert "SendMessage (1)" in ran.text

    waiting = "  - {wait: misspelt, within: 50ms}\n"
    ran = chatsim("run", scenario(HEAD + steps + waiting + "inboxes: {bob: [one]}\n"))
    assert ran.code == 1, ran
    assert "did not strike within 0.05 s: it waits for call 1 of SendMesage by alice, and saw 0" in " ".join(
        ran.text.split()
    )
