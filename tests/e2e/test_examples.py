"""The examples of the manual can be played, against the server that ships, each in one run."""

import textwrap

from harness.source.examples import EXAMPLES
from tests.schema.test_reference import AROUND, BEFORE


def test_every_example_of_the_manual_plays(chatsim, tmp_path):
    folder = tmp_path / "examples"
    folder.mkdir()
    for name, steps in EXAMPLES.items():
        # Of a run in which nobody says anything there is nothing to judge, and a trap wants a call.
        said = (
            "- {send: hello, from: alice, to: lobby}\n" if name in {"connect", "delay", "duplicate"} else ""
        )
        steps_of_it = ("" if name == "connect" else BEFORE) + steps + said
        text = AROUND + textwrap.indent(steps_of_it, "  ")
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    ran = chatsim("run", folder, "--speed", "max", "-j", "4")
    assert ran.code == 0, ran
    # Whom nothing is denied, as root, no directory is read-only.
    skipped = {name for name in EXAMPLES if not (ran.row(name) / "verdicts.json").is_file()}
    assert skipped <= {"read_only"}
