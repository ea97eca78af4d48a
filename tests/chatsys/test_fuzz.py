"""A server under requests that no honest client would send. `bench/fuzz.py` plays many more of the same."""

import pytest

from tests.chatsys.fuzz.campaign import against_methods, against_port
from tests.chatsys.fuzz.stage import open_stage

CASES = 1_000


@pytest.mark.parametrize("tokens", [False, True], ids=["names", "tokens"])
def test_every_method_under_hostile_requests(tmp_path, tokens):
    with open_stage(tmp_path / "data", tokens=tokens) as stage:
        against_methods(stage, CASES)


def test_whatever_comes_in_on_the_port(tmp_path):
    with open_stage(tmp_path / "data", tokens=False) as stage:
        against_port(stage, CASES)
