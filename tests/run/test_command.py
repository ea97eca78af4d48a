"""`--server` names a command or an address; words in braces are filled in, and nothing is split twice."""

import pytest

from harness.run.command import Address, address_of, fill, uses


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
