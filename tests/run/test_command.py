"""`--server` names a command or an address; words in braces are filled in, and nothing is split twice."""

import pytest

from harness.run.command import Address, BadCommandError, address_of, checked, fill, uses


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("localhost:50051", Address("localhost", 50051)),
        ("127.0.0.1:1", Address("127.0.0.1", 1)),
        ("[::1]:80", Address("::1", 80)),
        (" chat.example:65535 ", Address("chat.example", 65535)),
        ("chat.example:65536", None),
        ("localhost:0", None),
        ("localhost", None),
        ("./server --port {port}", None),
        ("./server:80 x", None),
        ("50051", None),
        (None, None),
    ],
)
def test_an_address_is_a_host_and_a_port(said, address):
    assert address_of(said) == address
    if address is not None:
        assert str(address) == said.strip()


def test_words_are_filled_in_and_other_braces_stay():
    values = {"port": "81", "data": "/a b/'c", "members": "x-1,y-1"}
    command = "serve '{port}' --data={data} {members} {host} '{\"a\": 1}'"
    assert fill(command, values) == ["serve", "81", "--data=/a b/'c", "x-1,y-1", "{host}", '{"a": 1}']


def test_a_value_that_looks_like_a_word_is_not_filled_in_again():
    assert fill("{members}", {"members": "{port}", "port": "1"}) == ["{port}"]


def test_uses():
    assert uses("a {port}", "port")
    assert not uses("a port", "port")
    assert not uses(None, "port")


@pytest.mark.parametrize("command", [None, "./server --port {port}", "localhost:50051", "'a b' \"c\""])
def test_a_command_is_left_as_it_is(command):
    assert checked(command) == command


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "'' is no command: give one, or leave the option out to play chatsys"),
        ("  ", "'  ' is no command: give one, or leave the option out to play chatsys"),
        ("''", "\"''\" is no command: give one, or leave the option out to play chatsys"),
        ("serve 'x", '"serve \'x" is no command (no closing quotation): quote it as for a shell'),
    ],
)
def test_what_names_no_program_is_no_command(command, said):
    with pytest.raises(BadCommandError) as refused:
        checked(command)
    assert str(refused.value) == said
