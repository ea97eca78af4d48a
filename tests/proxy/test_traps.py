"""Which call a fault strikes is a matter of counting."""

from hypothesis import given
from hypothesis import strategies as st

from harness.proxy.traps import Trap, Traps, is_called

SEND, POLL = "/chatsys.v1.ChatService/SendMessage", "/chatsys.v1.ChatService/Poll"


def trap(id_="t", by=None, of=None, nth=1):
    return Trap(id=id_, what="lose", part="response", by=by and frozenset(by), of=of, nth=nth)


def test_names_of_rpcs():
    for name in ("SendMessage", "ChatService/SendMessage", "chatsys.v1.ChatService/SendMessage", SEND):
        assert is_called(SEND, name)
    for name in ("sendmessage", "Message", "Service/SendMessage", "v1.Chat/SendMessage", "SendMessages"):
        assert not is_called(SEND, name)


def test_the_nth_matching_call_of_the_client_springs_it_once():
    traps = Traps()
    traps.set(trap(by=["bob"], of="SendMessage", nth=2))
    calls = [("alice", SEND), ("bob", POLL), ("bob", SEND), ("alice", SEND), ("bob", SEND), ("bob", SEND)]
    assert [traps.catch(*call) is not None for call in calls] == [False] * 4 + [True, False]
    assert traps.drop("t") is None
    assert traps.seen == {"SendMessage": 5, "Poll": 1}


def test_one_call_springs_one_trap_and_the_other_waits_for_the_next():
    traps = Traps()
    traps.set(trap("first"))
    traps.set(trap("second", of="Poll"))
    assert [traps.catch("bob", POLL).id for _ in range(2)] == ["first", "second"]


def test_one_that_is_dropped_says_how_far_it_came():
    traps = Traps()
    traps.set(trap(nth=3))
    traps.catch("bob", POLL)
    assert traps.count("t") == 1
    assert traps.drop("t") == 1
    assert traps.catch("bob", POLL) is None


@given(
    st.lists(st.tuples(st.sampled_from(["alice", "bob"]), st.sampled_from([SEND, POLL])), max_size=30),
    st.sampled_from([None, ["alice"], ["alice", "bob"]]),
    st.sampled_from([None, "Poll"]),
    st.integers(1, 5),
)
def test_alone_a_trap_springs_at_the_nth_call_that_matches(calls, by, of, nth):
    traps = Traps()
    traps.set(trap(by=by, of=of, nth=nth))
    sprung = [number for number, call in enumerate(calls) if traps.catch(*call)]
    matching = [
        number
        for number, (client, method) in enumerate(calls)
        if (by is None or client in by) and (of is None or method == POLL)
    ]
    assert sprung == matching[nth - 1 : nth]
