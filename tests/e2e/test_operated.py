"""A server as an operator runs it, with tokens and a rate: whoever plays has good tokens, and waits when told to."""

import sys

from tests.e2e.conftest import ROOT

OPTIONS = "--port 0 --data {data} --auth tokens --send-rate 20 --send-burst 1"


def test_a_conversation_with_tokens_and_a_rate(chatsim):
    server = f"{sys.executable} -m chatsys.server.main {OPTIONS}"
    ran = chatsim("run", ROOT / "scenarios/basic.yaml", "--speed", "max", "--server", server)
    assert ran.code == 0, ran
