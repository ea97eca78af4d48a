"""What a scenario needs is read off its plan, and a driver that cannot do it is told where it stands."""

from dataclasses import dataclass, replace

import pytest

from harness.model.actions import Connect
from harness.model.cast import Client, Room, Token
from harness.model.plan import Plan
from harness.model.span import Span
from harness.model.steps import Step
from harness.run import needs
from harness.run.needs import SkippedError
from harness.source import compile_plan

ALL = ("stream", "poll", "ack", "rooms", "kick", "auth", "restart")


@dataclass(frozen=True)
class Act:
    """An action of any verb."""

    verb: str
    targets: tuple[str, ...] = ()
    lanes: object = None


def step(verb, *targets, pointer="/steps/0", lanes=None):
    return Step(pointer=pointer, action=Act(verb, targets, lanes), within_ns=1)  # type: ignore[arg-type]  # any verb


def plan(*steps, clients=("alice", "bob"), rooms=1, **client):
    cast = tuple(Client(name=name, user=name, display_name=name, **client) for name in clients)
    return Plan(
        title="", name="x", file="x.yaml", source="", clients=cast, steps=steps,
        rooms=tuple(Room(name=f"room{n}", members=("alice",)) for n in range(rooms)),
        spans={"/steps/0": Span(12, 3), "/rooms": Span(4, 1)},
    )  # fmt: skip


def reason(made, *capabilities):
    with pytest.raises(SkippedError) as caught:
        needs.check(made, capabilities)
    return str(caught.value)


@pytest.mark.parametrize(
    ("verb", "capability"),
    [("create", "rooms"), ("join", "rooms"), ("leave", "rooms"), ("add", "kick"), ("kick", "kick"), ("poll", "poll"),
     ("ack", "ack")],
)  # fmt: skip
def test_a_verb_needs_its_capability(verb, capability):
    made = plan(step(verb))
    needs.check(made, ALL)
    without = [word for word in ALL if word != capability] + ["one-room"]
    assert reason(made, *without) == f"the driver lacks `{capability}`: `{verb}` (line 12)"


def test_verbs_inside_lanes_count():
    made = plan(step("parallel", pointer="/steps/9", lanes={"one": [step("connect"), step("kick")]}))
    assert reason(made, "stream", "rooms") == "the driver lacks `kick`: `kick` (line 12)"


@pytest.mark.parametrize(
    ("receive", "given", "capabilities", "lacks"),
    [
        ("stream", True, ("poll",), "stream"),
        ("poll", True, ("stream",), "poll"),
        ("manual", True, ("stream",), "poll"),
        ("stream", False, (), "stream` or `poll"),
        ("stream", False, ("poll",), None),
        ("stream", False, ("stream",), None),
    ],
)
def test_what_the_author_wrote_of_receive_must_be_so(receive, given, capabilities, lacks):
    made = plan(receive=receive, receive_given=given)
    if lacks is None:
        needs.check(made, (*capabilities, "one-room"))
    else:
        assert f"the driver lacks `{lacks}`" in reason(made, *capabilities, "one-room")


@pytest.mark.parametrize(
    ("receive", "given", "capabilities", "plays"),
    [("stream", False, ("poll",), "poll"), ("stream", False, ("stream", "poll"), "stream"),
     ("stream", True, ("poll",), "stream"), ("manual", True, ("poll",), "manual"), ("stream", False, (), "stream")],
)  # fmt: skip
def test_who_did_not_choose_receives_as_the_driver_can(receive, given, capabilities, plays):
    client = Client(name="a", user="a", display_name="a", receive=receive, receive_given=given)
    assert needs.reading(client, capabilities) == plays


def test_only_a_bad_token_needs_users_told_apart():
    made = plan()
    kinds: tuple[Token, ...] = ("valid", "forged")
    for kind in kinds:
        shows = Client(name="eve", user="eve", display_name="eve", token=kind)
        found = {word for need in needs.needs(replace(made, clients=(shows,))) for word in need.capabilities}
        assert ("auth" in found) == (kind == "forged")


def test_one_room_is_enough_for_one_room():
    needs.check(plan(rooms=1), ("stream", "one-room"))
    needs.check(plan(rooms=0), ("stream",))
    assert (
        reason(plan(rooms=2), "stream", "one-room") == "the driver lacks `rooms`: there are 2 rooms (line 4)"
    )
    assert "lacks `ack`" in reason(plan(acks="manual"), "stream", "one-room")


@pytest.mark.parametrize("verb", ["kill", "start", "restart"])
def test_a_server_that_ends_must_keep_its_messages(verb):
    capabilities = ("stream", "rooms")
    assert reason(plan(step(verb, "server")), *capabilities) == (
        f"the driver lacks `restart`: `{verb}: server` (line 12)"
    )
    needs.check(plan(step(verb, "alice")), capabilities)


@pytest.mark.parametrize("verb", sorted(needs.SERVER_FAULTS))
def test_a_running_server_is_not_ours_to_stop(verb):
    with pytest.raises(SkippedError, match=f"not ours to stop: `{verb}: server` \\(line 12\\)"):
        needs.check_server(plan(step(verb, "server")))
    needs.check_server(plan(step(verb, "alice"), step("connect")))


def test_the_keys_of_a_running_server_are_not_ours():
    made = replace(
        plan(step("connect")),
        clients=(Client(name="alice", user="alice", display_name="alice", token="forged"),),
    )
    with pytest.raises(SkippedError, match="not ours to make tokens with: alice shows a bad `token`"):
        needs.check_server(made, by_own_driver=True)
    needs.check_server(made)


def test_the_group_is_everybody_in_a_room_with_the_numbers_of_the_cast():
    made = plan(clients=("zoe", "alice", "doug"))
    assert needs.group(made) == [("alice", 2)]
    assert needs.words(number for _, number in needs.group(made)) == "2"


@pytest.mark.parametrize(
    ("name", "code", "steps", "away"),
    [
        ("bob", "PERMISSION_DENIED", (), True),
        ("bob", "UNAVAILABLE", (), False),
        ("alice", "PERMISSION_DENIED", (), False),
        ("bob", "PERMISSION_DENIED", ("join",), False),
    ],
)
def test_only_an_outsider_may_be_turned_away(name, code, steps, away):
    made = plan(*(step(verb) for verb in steps))
    assert needs.may_be_turned_away(made, made.client(name), code) is away


def test_every_step_is_found_once():
    inner = Step(pointer="/steps/0/x", action=Connect(who=("alice",)), within_ns=1)
    made = plan(step("parallel", lanes=(("a", (inner,)), ("b", ()))), inner)
    assert [found.pointer for found in needs.all_steps(made.steps)] == [
        "/steps/0",
        "/steps/0/x",
        "/steps/0/x",
    ]


def test_what_the_seed_may_ask_for_is_needed_too_and_named_by_its_line():
    text = (
        "scenario: x\nclients: [alice, bob]\nrooms: {lobby: {members: [alice, bob], admins: [alice]}}\n"
        "workload:\n  rate: 20/s\n  for: 3s\n  mix:\n    send: 1\n    kick: 1\n"
        "nemesis:\n  every: 500ms\n  faults:\n    - kill: server\n      for: 100ms\n"
    )
    made, _ = compile_plan(text, "x.yaml", "x", seed=1)
    assert made is not None
    needs.check(made, ALL)
    assert reason(made, "stream", "rooms", "restart") == "the driver lacks `kick`: `kick` (line 9)"
    assert reason(made, "stream", "rooms", "kick") == "the driver lacks `restart`: `kill: server` (line 13)"
    with pytest.raises(
        SkippedError, match=r"a running server is not ours to stop: `kill: server` \(line 13\)"
    ):
        needs.check_server(made)
