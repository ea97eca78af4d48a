"""Names of the plan become ids of a server and come back."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from harness.model.cast import Client, Room
from harness.model.plan import Plan
from harness.run.names import Names, message_key


def plan(users, rooms):
    clients = tuple(Client(name=user, user=user, display_name=user) for user in users)
    return Plan(
        title="t", name="t", file="t.yaml", source="", clients=clients, steps=(),
        rooms=tuple(Room(name=room, members=()) for room in rooms),
    )  # fmt: skip


#: All letters, and few, of which ids are easily alike.
names = st.sampled_from([st.characters(), st.sampled_from("a-é23")]).flatmap(
    lambda letters: st.lists(st.text(letters, min_size=1, max_size=60), min_size=1, max_size=6, unique=True)
)


@example(["a-3", "aé", "aéé"], ["b"])  # the third is numbered, and so is the name of the first
@given(names, names)
def test_every_name_has_its_own_id_in_the_servers_alphabet_and_comes_back(users, rooms):
    both = Names(plan(users, rooms), "1f3a9c")
    user_ids = [both.user_id(user) for user in users]
    room_ids = [both.room_id(room) for room in rooms]
    assert len(set(user_ids)) == len(set(users))
    assert len(set(room_ids)) == len(set(rooms))
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,128}", id_) for id_ in user_ids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,63}", id_) for id_ in room_ids)
    assert [both.user(id_) for id_ in user_ids] == users
    assert [both.room(id_) for id_ in room_ids] == rooms


def test_what_is_no_id_of_ours_stays_as_it_came():
    both = Names(plan(["bob"], ["lobby"]), "ab")
    assert both.user("bob") == "bob"
    assert both.user("somebody-else") == "somebody-else"
    assert both.user_id("bob") == "bob-ab"


@given(st.text(min_size=1, max_size=200))
def test_a_client_message_id_is_printable_ascii_of_64_characters_at_most(message):
    key = message_key(message)
    assert re.fullmatch(r"[!-~]{1,64}", key)


def test_a_plain_message_id_is_its_own_key():
    assert message_key("line.3") == "line.3"
