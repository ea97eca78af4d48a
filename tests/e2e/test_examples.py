"""The examples of the manual can be played, against the server that ships, each in one run."""

import textwrap

from harness.source.examples import EXAMPLES
from tests.schema.test_reference import AROUND, BEFORE


def test_every_example_of_the_manual_plays(chatsim, tmp_path):
    folder = tmp_path / "examples"
    folder.mkdir()
    for name, steps in EXAMPLES.items():
        # Of a run in which nobody says anything there is nothing to judge.
        said = "- {send: hello, from: alice, to: lobby}\n"
        steps_of_it = steps + said if name == "connect" else BEFORE + steps
        text = AROUND + textwrap.indent(steps_of_it, "  ")
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    ran = chatsim("run", folder, "--speed", "max", "-j", "4")
    ended = {
        name: judged["reason"] for name in EXAMPLES if (judged := ran.verdicts(name))["status"] != "pass"
    }
    assert not ended
