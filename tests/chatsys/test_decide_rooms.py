"""The life of a room in the core: settings and their version, the end, what is kept, conversations of two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsys.core import entry as entries
from chatsys.core.model import Entry, History, Kind, Role
from chatsys.core.outcome import Gone, MemberIs, RoomIs, Trimmed
from chatsys.core.rooms import direct_room_id
from chatsys.errors import Reason
from tests.chatsys.dict_view import DictView, creation, reason, send, user

ANN, BOB, DOUG, ROOT = user("ann"), user("bob"), user("doug"), user("root", admin=True)


@pytest.fixture
def view():
    made = DictView()
    made.play(creation(admins=["ann"], members=["bob"]))
    return made


def rename(view, name, by=ANN, etag="", **fields):
    return view.play(entries.Update(by, 9, "r", etag, display_name=name, **fields))


def delete(view, by=ANN, etag="", room="r"):
    return view.play(entries.Delete(by, 9, room, etag))


def trim(view, now=100, most=500):
    return view.play(entries.Trim(now, "r", most))


def stored(view):
    return [each.sequence for each in view.log if each.room_id == "r"]


def test_a_change_of_settings_is_an_entry_and_a_new_version(view):
    before = view.rooms["r"]
    changed = rename(view, "The lobby", entry=Entry.OPEN, retention=(5, 7))
    assert isinstance(changed, RoomIs)
    room = changed.room
    assert (room.display_name, room.entry, room.max_age_us, room.max_entries) == (
        "The lobby",
        Entry.OPEN,
        5,
        7,
    )
    assert room.etag != before.etag
    assert (view.log[-1].kind, view.log[-1].actor_id, room.head) == (Kind.UPDATED, "ann", 2)


def test_what_is_so_already_is_no_change(view):
    changed = rename(view, "x")
    assert rename(view, "x") == changed
    assert view.rooms["r"].head == 2


def test_the_second_of_two_who_read_the_same_version_is_refused(view):
    known = view.rooms["r"].etag
    mine = rename(view, "mine", etag=known)
    lost = rename(view, "theirs", etag=known)
    assert reason(lost) is Reason.ETAG_MISMATCH
    assert lost.metadata == {"etag": mine.room.etag}
    assert reason(delete(view, etag=known)) is Reason.ETAG_MISMATCH
    assert delete(view, etag=mine.room.etag) == Gone()


def test_messages_do_not_change_the_version(view):
    known = view.rooms["r"].etag
    view.play(send("bob", "hi"))
    assert isinstance(rename(view, "x", etag=known), RoomIs)


@pytest.mark.parametrize("act", [rename, delete], ids=["update", "delete"])
def test_only_admins_change_and_end_a_room(view, act):
    extra = ("x",) if act is rename else ()
    assert reason(act(view, *extra, by=BOB)) is Reason.ROLE_REQUIRED
    assert reason(act(view, *extra, by=DOUG)) is Reason.NOT_A_MEMBER
    view.play(entries.Leave(BOB, 3, "r"))
    assert reason(act(view, *extra, by=BOB)) is Reason.NOT_A_MEMBER


def test_a_room_ends_for_everyone_at_one_entry(view):
    view.play(send("bob", "hi"))
    assert delete(view) == Gone()
    end = view.rooms["r"].deleted
    assert end == view.rooms["r"].head == 3
    assert {m.end_sequence for m in view.belongs.values()} == {end}
    assert delete(view) == Gone(), "a lost answer may be asked again"
    assert reason(view.play(send("bob", "too late"))) is Reason.ROOM_DELETED
    assert reason(rename(view, "x", by=ROOT)) is Reason.ROOM_DELETED
    assert view.play(entries.Leave(BOB, 3, "r")) == Gone()


def test_who_was_not_there_at_the_end_cannot_tell_it_from_no_room(view):
    view.play(entries.Leave(BOB, 3, "r"))
    delete(view)
    for who in (BOB, DOUG):
        refusals = [
            view.play(send(who.user_id, "x")),
            view.play(entries.Join(who, 9, "r")),
            view.play(entries.Add(who, 9, "r", "eve", Role.WRITER)),
            delete(view, by=who),
        ]
        assert {str(each) for each in refusals} == {
            "you are not a member of room 'r' (or it might not exist)"
        }


def test_an_open_room_that_ended_is_not_entered(view):
    rename(view, "x", entry=Entry.OPEN)
    delete(view)
    assert reason(view.play(entries.Join(DOUG, 9, "r"))) is Reason.NOT_A_MEMBER
    assert reason(view.play(entries.Join(BOB, 9, "r"))) is Reason.ROOM_DELETED


def test_an_id_is_never_given_out_again(view):
    view.play(creation("s", request_id="q"))
    delete(view, by=ROOT, room="s")
    assert reason(view.play(creation("s"))) is Reason.ROOM_EXISTS
    assert reason(view.play(creation("s", request_id="q"))) is Reason.ROOM_DELETED


@pytest.mark.parametrize("admin", [False, True])
def test_the_last_admin_cannot_leave_the_others(view, admin):
    ann = user("ann", admin=admin)
    assert reason(view.play(entries.Leave(ann, 3, "r"))) is Reason.LAST_ADMIN
    view.play(entries.Add(ANN, 3, "r", "bob", Role.ADMIN))
    assert view.play(entries.Leave(ann, 3, "r")) == Gone()


def test_an_admin_who_is_alone_may_leave(view):
    view.play(entries.Remove(ANN, 3, "r", "bob"))
    assert view.play(entries.Leave(ANN, 3, "r")) == Gone()


def test_the_last_admin_is_neither_removed_nor_demoted_but_by_an_operator(view):
    for act in (entries.Remove(ANN, 3, "r", "ann"), entries.Add(ANN, 3, "r", "ann", Role.READER)):
        assert reason(view.play(act)) is Reason.LAST_ADMIN
        assert not isinstance(DictView.play(view, act._replace(caller=ROOT)), Exception)
        view.play(entries.Add(ROOT, 3, "r", "ann", Role.ADMIN))


def test_the_newest_entries_are_kept(view):
    rename(view, None, retention=(0, 3))
    for text in "abcdef":
        view.play(send("bob", text))
    assert trim(view) == Trimmed(5, more=False)
    assert stored(view) == [6, 7, 8]
    assert trim(view) == Trimmed(0, more=False)


def test_what_is_young_is_kept(view):
    rename(view, None, retention=(50, 0))
    for time_us in (10, 20, 60, 30, 70):
        view.play(send("bob", "x")._replace(time_us=time_us))
    assert trim(view, now=75) == Trimmed(4, more=False)
    assert stored(view) == [5, 6, 7], "what came after a young one stays, however old it says it is"
    assert trim(view, now=200) == Trimmed(3, more=False)
    assert view.rooms["r"].first == view.rooms["r"].head + 1 == 8


def test_a_room_is_cut_a_piece_at_a_time(view):
    rename(view, None, retention=(0, 1))
    for text in "abcdef":
        view.play(send("bob", text))
    assert [trim(view, most=3) for _ in range(4)] == [
        Trimmed(3, more=True),
        Trimmed(3, more=True),
        Trimmed(1, more=False),
        Trimmed(0, more=False),
    ]


def test_what_was_removed_may_be_sent_again(view):
    rename(view, None, retention=(0, 1))
    view.play(send("bob", "a", "id"))
    view.play(send("bob", "b"))
    trim(view)
    assert not view.play(send("bob", "a", "id")).duplicate


def test_a_deleted_room_keeps_only_its_end(view):
    view.play(send("bob", "a"))
    delete(view)
    trim(view)
    assert [(each.sequence, each.kind) for each in view.log] == [(3, Kind.DELETED)]
    assert trim(view) == Trimmed(0, more=False)


def test_a_room_without_limits_is_left_alone(view):
    view.play(send("bob", "a"))
    assert trim(view) == Trimmed(0, more=False)
    assert view.play(entries.Trim(100, "no-such-room", 5)) == Trimmed(0, more=False)


def open_direct(view, who, whom):
    return view.play(entries.OpenDirect(who, 4, whom)).room


def test_a_conversation_of_two_is_one_room_whoever_opens_it(view):
    first = open_direct(view, ANN, "doug")
    assert open_direct(view, user("doug"), "ann") == open_direct(view, ANN, "doug") == first
    assert (first.room_id, first.direct) == (direct_room_id("doug", "ann"), True)
    assert (first.history, first.entry, first.head) == (History.WHOLE_ROOM, Entry.INVITE, 1)
    assert {m.role for (room, _), m in view.belongs.items() if room == first.room_id} == {Role.WRITER}


def test_opening_it_again_brings_back_who_left(view):
    room = open_direct(view, ANN, "doug").room_id
    for who in (ANN, DOUG):
        assert view.play(entries.Leave(who, 5, room)) == Gone()
    assert view.members(room) == 0
    assert open_direct(view, ANN, "doug").head == 5
    assert view.members(room) == 2


def test_a_conversation_of_two_stays_one(view):
    room = open_direct(view, ANN, "doug").room_id
    for act in (
        entries.Add(ROOT, 5, room, "eve", Role.WRITER),
        entries.Add(ROOT, 5, room, "ann", Role.ADMIN),
        entries.Remove(ROOT, 5, room, "ann"),
        entries.Delete(ROOT, 5, room, ""),
        entries.Update(ROOT, 5, room, "", entry=Entry.OPEN),
    ):
        assert reason(view.play(act)) is Reason.DIRECT_ROOM
    assert reason(view.play(entries.Add(ANN, 5, room, "eve", Role.WRITER))) is Reason.ROLE_REQUIRED
    assert isinstance(view.play(entries.Join(ANN, 5, room)), MemberIs)


NAME = st.from_regex(r"[A-Za-z0-9._-]{1,12}", fullmatch=True)


@given(NAME, NAME, NAME, NAME)
def test_two_pairs_never_share_a_room(a, b, c, d):
    assert (direct_room_id(a, b) == direct_room_id(c, d)) == ({a, b} == {c, d})
