"""`chatsys chat` in terminals, against a real server: what two people see of each other."""

import subprocess
import sys

import pytest

from chatsys.chat.model import Mark, Model
from chatsys.v1 import types_pb2
from tests.chatsys.terminal import Terminal


@pytest.fixture
def chatting(serving):
    """`chat(server, user)` opens a terminal; all are closed after the test."""
    opened = []

    def chat(server, user, *words, columns=90):
        command = [sys.executable, "-m", "chatsys.cli", "chat", "--server", server.address, "--user", user]
        opened.append(Terminal([*command, *words], columns=columns))
        return opened[-1]

    yield chat
    for terminal in opened:
        terminal.close()


@pytest.fixture
def prepared(serving, stubs, play):
    """A server with a lobby of Alice and Bob, a den of Bob's alone, and history."""
    server = serving()

    async def body():
        async with stubs(server.address) as as_user:
            await as_user("root").create("lobby", "alice", "bob")
            await as_user("root").create("den", "bob", "carl")
            await as_user("carl").send("den", "are you there?")
            for n in range(30):
                await as_user("alice").send("lobby", f"line {n}")

    play(body())
    return server


def test_two_people_talk(prepared, chatting):
    alice, bob = chatting(prepared, "alice"), chatting(prepared, "bob")
    alice.until("alice · connected")
    alice.until("line 29")
    text = bob.until("bob · connected")
    bob.until("line 29") if "line 29" in text else bob.type(key="tab")
    bob.until("line 29")
    alice.say("hello, bob")
    alice.until("✓ alice: hello, bob")
    bob.until("alice: hello, bob")
    bob.say("hello, alice \N{WAVING HAND SIGN}")
    bob.until("✓ bob: hello, alice")
    alice.until("bob: hello, alice")
    alice.say("/quit")
    assert alice.end() == 0
    bob.type(key="ctrl-c")
    assert bob.end() == 0


def test_unread_is_counted_until_it_is_looked_at(prepared, chatting, stubs, play):
    bob = chatting(prepared, "bob")
    bob.until("bob · connected")
    bob.until_true(
        lambda text: any(row.split("│")[0].split() == ["lobby", "30"] for row in text.splitlines()), "30"
    )
    bob.type(key="tab")
    bob.until("line 29")
    bob.until_true(
        lambda text: any(row.split("│")[0].split() == ["lobby"] for row in text.splitlines()), "none unread"
    )

    async def more():
        async with stubs(prepared.address) as as_user:
            await as_user("carl").send("den", "hello?")

    play(more())
    bob.until_true(
        lambda text: any(row.split("│")[0].split() == ["den", "1"] for row in text.splitlines()), "den 1"
    )
    bob.type(key="ctrl-c")
    assert bob.end() == 0
    again = chatting(prepared, "bob")
    again.until("bob · connected")
    again.until_true(
        lambda text: any(row.split("│")[0].split() == ["lobby"] for row in text.splitlines()),
        "what was read stays read",
    )


def test_history_scrolls_back_to_its_beginning(prepared, chatting):
    alice = chatting(prepared, "alice")
    alice.until("line 29")
    assert "line 0\n" not in alice.text() + "\n"
    for _ in range(4):
        alice.type(key="page-up")
    alice.until("alice: line 0")
    alice.until("scrolled back")
    for _ in range(4):
        alice.type(key="page-down")
    alice.until("line 29")


def test_it_stays_through_a_restart_of_the_server(prepared, serving, chatting):
    alice = chatting(prepared, "alice")
    alice.until("alice · connected")
    prepared.kill()
    alice.until("connection lost")
    alice.say("said while nobody was there")
    alice.until("… alice: said while nobody was there")
    port = str(prepared.ready["port"])
    command = [sys.executable, "-m", "chatsys.server.main", "--port", port, "--data", str(prepared.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as again:
        assert again.stdout is not None
        again.stdout.readline()
        alice.until("connected again")
        alice.until("✓ alice: said while nobody was there")
        again.kill()


def test_rooms_are_made_and_people_found(prepared, chatting):
    alice = chatting(prepared, "alice")
    alice.until("alice · connected")
    alice.say("/dm carl")
    alice.until("@carl")
    alice.say("psst")
    alice.until("✓ alice: psst")
    alice.say("/new attic")
    alice.until("attic")
    alice.say("/who")
    alice.until("Here: alice")
    alice.say("/join den")
    alice.until("You cannot enter den by yourself")
    alice.say("/dance")
    alice.until("There is no /dance. /help says what there is.")
    alice.say("/kick carl")
    alice.until("user 'carl' was never a member of room 'attic'")
    alice.say("/leave")
    alice.until("You are no member of this room any more.")
    alice.say("anybody?")
    alice.until("Not sent: you are not a member of room 'attic'")
    alice.until("! alice: anybody?")


def prompts(text):
    return text.rstrip().rpartition("\n")[2]


def test_an_open_room_is_made_and_entered_and_the_prompt_says_where_one_is(prepared, chatting):
    alice, dave = chatting(prepared, "alice"), chatting(prepared, "dave", columns=30)
    alice.until_true(lambda text: prompts(text) == "lobby>", "the room in the prompt")
    alice.until("line 29")
    alice.until("alice · connected")
    alice.say("/new garden wide open")
    alice.until("Say /new garden, or /new garden open")
    alice.say("/new garden open")
    alice.until_true(lambda text: prompts(text) == "garden>", "the new room in the prompt")
    dave.until("dave · connected")
    assert prompts(dave.text()) == ">"
    dave.say("/join garden")
    dave.until_true(lambda text: prompts(text) == "garden>", "the room that was entered in the prompt")
    dave.say("what a fine garden this is")
    alice.until("dave: what a fine garden this is")
    # On so narrow a terminal what was said stands below who said it, and whole.
    dave.until("✓ dave:")
    assert "what a fine garden" in dave.text()
    assert "this is" in dave.text()


def test_somebody_in_no_room_is_told_what_to_do_and_is_taken_in(prepared, chatting):
    dave, alice = chatting(prepared, "dave"), chatting(prepared, "alice")
    dave.until("dave · connected")
    dave.until("You are in no room.")
    dave.say("hello?")
    dave.say("/who")
    dave.say("/help")
    dave.until("/kick USER        put somebody out of it")
    dave.say("/jion lobby")
    dave.until("There is no /jion. Did you mean /join?")
    dave.say("/join")
    dave.until("Say it with what it is about: /join ROOM")
    alice.until("alice · connected")
    alice.say("/new attic")
    alice.say("/add dave")
    alice.until("dave is in the room now.")
    dave.until_true(
        lambda text: any(row.split("│")[0].split() == ["attic"] for row in text.splitlines()),
        "the attic, though nobody has said anything there",
    )
    alice.say("/dm dave")
    alice.until("@dave")
    alice.say("psst")
    dave.until("@alice")
    dave.type(key="tab")
    dave.until("alice: psst")
    assert "lobby" not in dave.text(), "what was typed after /new was about the new room"
    dave.say("/open")
    dave.until("There is no open room but those you are in.")


def test_what_others_write_moves_no_cursor(prepared, chatting, stubs, play):
    alice = chatting(prepared, "alice")
    alice.until("line 29")

    async def rude():
        async with stubs(prepared.address) as as_user:
            await as_user("bob").send("lobby", "\x1b[2J\x07boo")

    play(rude())
    alice.until(r"\x1b[2J\x07boo")
    assert "line 29" in alice.text()


def test_a_script_is_sent_elsewhere(prepared):
    command = [sys.executable, "-m", "chatsys.cli", "chat", "--server", prepared.address, "--user", "x"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert ended.returncode == 2
    assert "chat needs a terminal; for programs there are send, poll and tail." in ended.stderr


def message(sequence, sender="bob", text="x", message_id="", room="r"):
    return types_pb2.Message(
        room_id=room, sequence=sequence, sender_id=sender, content=text.encode(), client_message_id=message_id
    )


def sequences(model, room="r"):
    return [line.sequence for line in model.rooms[room].lines]


def test_a_message_is_one_line_whichever_way_it_comes():
    model = Model("alice")
    model.arrived(message(5))
    model.remember("r", [message(3), message(4), message(5)], complete=False)
    model.arrived(message(6))
    model.arrived(message(5))
    assert sequences(model) == [3, 4, 5, 6]
    model.say("a word")
    model.remember("r", [message(2)], complete=True)
    model.arrived(message(7))
    assert sequences(model) == [2, 3, 4, 5, 6, 0, 7]


def test_what_is_said_before_the_history_came_stays_below_it():
    model = Model("alice")
    model.enter("r")
    model.say("There is no /dance.")
    model.arrived(message(4))
    model.remember("r", [message(1), message(2), message(3)], complete=False)
    assert sequences(model) == [1, 2, 3, 0, 4]
    model.say("bob is in the room now.")
    model.arrived(message(5))
    model.remember("r", [], complete=True)
    assert sequences(model) == [1, 2, 3, 0, 4, 0, 5]


@pytest.mark.parametrize("first", ["answer", "stream"])
def test_what_is_sent_is_marked_and_stands_once(first):
    model = Model("alice")
    model.enter("r")
    model.sending("r", "id", "hello")
    assert model.rooms["r"].unsent[0].mark is Mark.SENDING
    steps = [lambda: model.stored("r", "id", 4), lambda: model.arrived(message(4, "alice", "hello", "id"))]
    for step in steps if first == "answer" else reversed(steps):
        step()
    assert [(line.sequence, line.mark) for line in model.rooms["r"].lines] == [(4, Mark.STORED)]
    assert not model.rooms["r"].unsent
    assert model.rooms["r"].unread == 0


def test_what_failed_may_be_sent_again_under_its_id():
    model = Model("alice")
    model.enter("r")
    model.sending("r", "id", "hello")
    model.failed("r", "id", "why")
    assert [line.message_id for line in model.again()] == ["id"]
    assert model.again() == []


def test_own_messages_and_the_room_looked_at_are_never_unread():
    model = Model("alice")
    for room in "ab":
        model.enter(room)
    model.arrived(message(2, room="a"))
    model.arrived(message(2, room="b"))
    model.arrived(message(3, "alice", room="b"))
    assert [room.unread for room in model.rooms.values()] == [0, 1]
    model.step(1)
    assert (model.current, model.rooms["b"].unread) == ("b", 0)


def test_two_people_of_one_name_are_told_apart():
    model = Model("alice")
    model.names.update({"l1": "Luis", "l2": "Luis", "c": "Carl", "n": ""})
    assert [model.name(each) for each in ("l1", "l2", "c", "n", "x")] == [
        "Luis (l1)",
        "Luis (l2)",
        "Carl",
        "n",
        "x",
    ]


def test_what_the_server_counted_and_the_stream_brings_is_counted_once():
    model = Model("alice")
    for room in "ab":
        model.enter(room)
    model.rooms["b"].told = 2
    for sequence in (2, 3):
        model.arrived(message(sequence, room="b"))
        assert model.rooms["b"].unread == 2
    model.arrived(message(4, room="b"))
    assert model.rooms["b"].unread == 3
