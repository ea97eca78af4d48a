"""The core against a view made of dicts: examples of each rule, then random histories and what must always hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatsys.core import decide, position, visibility
from chatsys.core import entry as entries
from chatsys.core.model import Caller, Entry, History, Kind, Membership, Role, User
from chatsys.core.outcome import Acked, Gone, MemberIs, RoomMade, Sent, UserIs
from chatsys.errors import Reason, Refusal
from tests.chatsys.dict_view import DictView, creation, reason, send, user


@pytest.fixture
def view():
    made = DictView()
    made.play(creation())
    return made


def test_a_room_begins_with_entry_one_and_its_first_members(view):
    assert view.rooms["r"].head == 1
    assert [each.kind for each in view.log] == [Kind.CREATED]
    assert view.belongs["r", "alice"] == Membership("r", "alice", Role.WRITER, 1, 1, 0)
    assert set(view.people) == {"alice", "bob"}


def test_messages_get_dense_sequences(view):
    assert [view.play(send("alice", t)) for t in "abc"] == [Sent(n, 2, duplicate=False) for n in (2, 3, 4)]


def test_a_send_again_changes_nothing(view):
    first = view.play(send("alice", "a", "id-1"))
    again = view.play(send("alice", "a", "id-1"))
    assert again == first._replace(duplicate=True)
    assert view.rooms["r"].head == 2


def test_the_id_belongs_to_sender_and_room(view):
    view.play(creation("s"))
    view.play(send("alice", "a", "id-1"))
    assert not view.play(send("bob", "b", "id-1")).duplicate
    assert not view.play(send("alice", "c", "id-1", room="s")).duplicate


def test_an_id_used_for_other_content_is_refused(view):
    view.play(send("alice", "a", "id-1"))
    refusal = view.play(send("alice", "b", "id-1"))
    assert reason(refusal) is Reason.CLIENT_MESSAGE_ID_REUSED
    assert refusal.metadata == {"sequence": "2"}


def test_a_removed_sender_learns_that_its_message_is_stored(view):
    view.play(send("alice", "a", "id-1"))
    view.play(entries.Remove(user("root", admin=True), 3, "r", "alice"))
    assert view.play(send("alice", "a", "id-1")).duplicate
    assert reason(view.play(send("alice", "a", "id-2"))) is Reason.NOT_A_MEMBER


@pytest.mark.parametrize("room", ["r", "no-such-room"])
def test_outsiders_cannot_tell_a_room_from_none(view, room):
    doug = user("doug")
    tries = [
        send("doug", "hi", room=room),
        entries.Join(doug, 2, room),
        entries.Leave(doug, 2, room),
        entries.Add(doug, 2, room, "doug", Role.WRITER),
        entries.Remove(doug, 2, room, "alice"),
    ]
    refusals = [view.play(each) for each in tries]
    assert {reason(each) for each in refusals} == {Reason.NOT_A_MEMBER}
    assert {str(each).replace(repr(room), "ROOM") for each in refusals} == {
        "you are not a member of room ROOM (or it might not exist)"
    }


def test_a_reader_cannot_send_and_a_writer_cannot_remove(view):
    view.play(entries.Add(user("root", admin=True), 2, "r", "carl", Role.READER))
    assert reason(view.play(send("carl", "x"))) is Reason.ROLE_REQUIRED
    assert reason(view.play(entries.Remove(user("bob"), 2, "r", "alice"))) is Reason.ROLE_REQUIRED


def test_who_is_taken_off_by_an_admin(view):
    root = user("root", admin=True)
    assert reason(view.play(entries.Remove(root, 2, "r", "doug"))) is Reason.MEMBER_NOT_FOUND
    assert view.play(entries.Remove(root, 2, "r", "bob")) == Gone()
    assert view.belongs["r", "bob"].end_sequence == 2
    assert view.play(entries.Remove(root, 2, "r", "bob")) == Gone()
    assert view.rooms["r"].head == 2


def test_open_rooms_are_joined_once(view):
    view.play(creation("open", entry=Entry.OPEN))
    joined = view.play(entries.Join(user("doug"), 5, "open"))
    assert joined == MemberIs(Membership("open", "doug", Role.WRITER, 2, 5, 0))
    assert view.play(entries.Join(user("doug"), 9, "open")) == joined
    assert view.play(entries.Leave(user("doug"), 9, "open")) == Gone()
    assert view.play(entries.Leave(user("doug"), 9, "open")) == Gone()
    assert view.play(entries.Join(user("doug"), 9, "open")).membership.join_sequence == 4


def test_a_role_changes_without_a_new_membership(view):
    root = user("root", admin=True)
    changed = view.play(entries.Add(root, 7, "r", "bob", Role.ADMIN)).membership
    assert (changed.role, changed.join_sequence) == (Role.ADMIN, 1)
    assert view.play(entries.Add(root, 8, "r", "bob", Role.ADMIN)).membership == changed
    assert view.rooms["r"].head == 2


def test_the_last_admin_stays_while_others_do():
    view = DictView()
    view.play(creation(admins=["ann"], members=["bob"]))
    ann = user("ann")
    assert reason(view.play(entries.Leave(ann, 2, "r"))) is Reason.LAST_ADMIN
    assert reason(view.play(entries.Add(ann, 2, "r", "ann", Role.WRITER))) is Reason.LAST_ADMIN
    view.play(entries.Remove(ann, 2, "r", "bob"))
    assert view.play(entries.Leave(ann, 2, "r")) == Gone()


def test_a_room_is_made_once_for_one_request(view):
    wanted = creation("s", request_id="q1")
    made = view.play(wanted)
    assert isinstance(made, RoomMade)
    assert view.play(wanted._replace(time_us=99)) == made
    assert reason(view.play(wanted._replace(display_name="other"))) is Reason.ROOM_EXISTS
    assert reason(view.play(creation("s"))) is Reason.ROOM_EXISTS
    assert reason(view.play(creation("r"))) is Reason.ROOM_EXISTS


def test_only_the_admin_scope_makes_rooms_for_others(view):
    assert reason(view.play(creation("s", by=user("alice")))) is Reason.ROLE_REQUIRED


def ack(who, sequence, consumer="", room="r"):
    return entries.Ack(who, consumer, ((room, sequence),))


def test_acks_are_cumulative_and_monotone(view):
    for text in "abc":
        view.play(send("alice", text))
    assert view.play(ack("bob", 3)) == Acked((("r", 3),))
    assert view.play(ack("bob", 2)) == Acked((("r", 3),))
    assert view.play(ack("bob", 4, "phone")) == Acked((("r", 4),))
    assert view.cursor("r", "bob", "") == (3, 0)
    refusal = view.play(ack("bob", 5))
    assert reason(refusal) is Reason.ACK_BEYOND_HEAD
    assert refusal.metadata == {"head": "4"}


def test_acks_are_all_or_none(view):
    view.play(creation("s"))
    view.play(send("alice", "a"))
    outcome = view.play(entries.Ack("bob", "", (("r", 2), ("s", 2))))
    assert reason(outcome) is Reason.ACK_BEYOND_HEAD
    assert view.cursors == {}


def test_acks_of_outsiders_tell_nothing(view):
    assert view.play(ack("doug", 99)) == Acked(())
    assert view.play(ack("doug", 99, room="no-such-room")) == Acked(())


def test_an_ending_is_settled_by_an_ack_and_no_further(view):
    view.play(entries.Remove(user("root", admin=True), 2, "r", "bob"))
    for text in "abc":
        view.play(send("alice", text))
    ended = view.belongs["r", "bob"]
    assert view.play(ack("bob", 99)) == Acked(())
    assert view.cursor("r", "bob", "") == (0, ended.end_sequence) == (0, 2)


def test_hearing_of_the_end_reads_nothing(view):
    for text in "abc":
        view.play(send("alice", text))
    view.play(entries.Remove(user("root", admin=True), 2, "r", "bob"))
    view.play(entries.Ack("bob", "", (("r", 2),), (("r", 5),)))
    assert view.cursor("r", "bob", "") == (2, 5)
    view.play(ack("bob", 4))
    assert view.cursor("r", "bob", "") == (4, 5), "what was on its way when the membership ended"
    view.play(entries.Add(user("root", admin=True), 3, "r", "bob", Role.WRITER))
    view.play(entries.Ack("bob", "phone", (("r", 0),), (("r", 5),)))
    assert view.cursor("r", "bob", "phone") == (0, 0), "too late: bob is a member again"


@pytest.mark.parametrize(
    ("history", "join", "acked", "start"),
    [
        (History.SINCE_JOIN, 5, 0, 5),
        (History.SINCE_JOIN, 5, 9, 9),
        (History.SINCE_JOIN, 5, 3, 5),
        (History.WHOLE_ROOM, 5, 0, 0),
        (History.WHOLE_ROOM, 5, 3, 3),
    ],
)
def test_where_reading_starts(history, join, acked, start):
    assert visibility.start(history, join, acked) == start


def test_users_change_their_name_and_new_ids_must_be_new(view):
    assert view.play(entries.PutUser("alice", "Alice", 5, new=False)) == UserIs(User("alice", "Alice", 1))
    assert view.play(entries.PutUser("eve", "Eve", 5, new=True)).user.create_time_us == 5
    with pytest.raises(RuntimeError, match="taken"):
        view.play(entries.PutUser("eve", "Eve", 5, new=True))


NAMES = st.sampled_from(["alice", "bob", "carl"])
ROOMS = st.sampled_from(["r", "s"])
CALLERS = st.builds(Caller, NAMES, st.booleans())
ROLES = st.sampled_from(Role)
ENTRIES = st.one_of(
    st.builds(
        entries.Send,
        NAMES,
        st.just(3),
        ROOMS,
        st.sampled_from([b"x", b"y"]),
        st.just(""),
        st.sampled_from(["", "i", "j"]),
    ),
    st.builds(entries.Join, CALLERS, st.just(3), ROOMS),
    st.builds(entries.Leave, CALLERS, st.just(3), ROOMS),
    st.builds(entries.Add, CALLERS, st.just(3), ROOMS, NAMES, ROLES),
    st.builds(entries.Remove, CALLERS, st.just(3), ROOMS, NAMES),
    st.builds(
        entries.Ack,
        NAMES,
        st.sampled_from(["", "phone"]),
        st.builds(lambda room, through: ((room, through),), ROOMS, st.integers(0, 12)),
    ),
    st.builds(creation, ROOMS, st.just(("alice",)), entry=st.sampled_from(Entry), by=CALLERS),
    st.builds(
        entries.Update,
        CALLERS,
        st.just(3),
        ROOMS,
        st.sampled_from(["", "1-1", "2-3"]),
        st.sampled_from([None, "name"]),
        st.sampled_from([None, *Entry]),
        st.sampled_from([None, (0, 0), (1, 2)]),
    ),
    st.builds(entries.Delete, CALLERS, st.just(3), ROOMS, st.just("")),
    st.builds(entries.Trim, st.sampled_from([3, 9]), ROOMS, st.integers(1, 4)),
    st.builds(entries.OpenDirect, CALLERS, st.just(3), NAMES),
)


@settings(max_examples=200)
@given(st.lists(ENTRIES, max_size=40))
def test_every_history_keeps_the_rules(script):
    view = DictView()  # its apply() asserts dense sequences and growing cursors
    view.play(creation(admins=["alice"]))
    for each in script:
        twin = decide(view, each)
        before = dict(view.rooms)
        outcome = view.play(each)
        assert repr(outcome) == repr(twin[0]), "the same view and entry give the same outcome"
        if isinstance(outcome, Refusal):
            assert view.rooms == before
        if isinstance(outcome, Sent) and each.client_message_id:
            again = view.play(each)
            assert (again.sequence, again.duplicate) == (outcome.sequence, True)
    ids = [(e.room_id, e.actor_id, e.client_message_id) for e in view.log if e.client_message_id]
    assert len(ids) == len(set(ids)), "an id is stored once"
    for (room_id, user_id, _), cursor in view.cursors.items():
        assert max(cursor) <= view.rooms[room_id].head
        assert (room_id, user_id) in view.belongs
    for room in view.rooms.values():
        held = [e.sequence for e in view.log if e.room_id == room.room_id]
        assert held == list(range(room.first, room.head + 1)), "what is stored is one range"
        if room.deleted:
            assert room.deleted == room.head, "nothing comes after the end"
            assert view.members(room.room_id) == 0
        if room.direct:
            assert view.members(room.room_id) <= 2
    for message in (e for e in view.log if e.kind is Kind.MESSAGE):
        assert (message.room_id, message.actor_id) in view.belongs, "only members ever sent"


@given(st.from_regex(r"[0-9a-f]{16}", fullmatch=True), st.integers(0, 2**63 - 1))
def test_positions_come_back_as_they_went(epoch, applied):
    assert position.decode(position.encode(epoch, applied), "x") == (epoch, applied)


@given(st.text(max_size=30))
def test_no_text_is_a_position_by_chance(token):
    with pytest.raises(Refusal) as caught:
        position.decode(token, "min_positions[0]")
    assert caught.value.violations[0].field == "min_positions[0]"


def test_positions_of_another_log_are_told_apart():
    here, there = "0" * 16, "f" * 16
    assert position.required([position.encode(here, 3), position.encode(here, 40)], here) == 40
    with pytest.raises(Refusal) as caught:
        position.required([position.encode(there, 3)], here)
    assert caught.value.reason is Reason.LOG_EPOCH_CHANGED
    assert caught.value.metadata == {"old": there, "new": here}
