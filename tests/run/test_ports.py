"""Ports for servers that are told one: no two get the same, whichever processes start them."""

import subprocess
import sys

import pytest

from harness.run.ports import Port, claim


def test_a_port_that_is_claimed_is_given_to_nobody_else():
    first = claim()
    drawn = iter([first.number, first.number, first.number + 1])
    with first, claim(lambda: next(drawn)) as second:
        assert second.number == first.number + 1


def test_a_port_is_claimed_against_other_processes_too():
    with claim() as ours:
        words = f"from harness.run.ports import Port; Port({ours.number})"
        theirs = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False)
    assert "Address already in use" in theirs.stderr


def test_a_port_that_was_given_back_may_be_claimed_again():
    first = claim()
    first.close()
    with Port(first.number) as again:
        assert again.number == first.number


def test_an_endless_series_of_claimed_ports_is_an_error():
    with claim() as first, pytest.raises(OSError, match="Address already in use"):
        claim(lambda: first.number)
