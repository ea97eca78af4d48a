"""The examples of the manual can be played, against the server that ships, each in one run."""

import textwrap

from harness.source.examples import EXAMPLES
from tests.schema.test_reference import AROUND, BEFORE

#: What the server has to be told first, for an example that is about it.
SERVER = {"gone": "server: {options: {room_max_entries: 1}}\n"}
#: What the example leaves out because its page has said it: of the series something has to push the last one out, and
#: who was turned out has to come back to be read.
AROUND_IT = {
    "gone": ("- {send: later, from: alice, to: lobby}\n", ""),
    "rotate_keys": ("", "- disconnect: [alice, bob, chad, erin]\n- connect: [alice, bob, chad, erin]\n"),
}


def test_every_example_of_the_manual_plays(chatsim, tmp_path):
    folder = tmp_path / "examples"
    folder.mkdir()
    for name, steps in EXAMPLES.items():
        # Of a run in which nobody says anything there is nothing to judge, and a trap wants a call.
        said = (
            "- {send: hello, from: alice, to: lobby}\n" if name in {"connect", "delay", "duplicate"} else ""
        )
        first, last = AROUND_IT.get(name, ("", said))
        steps_of_it = ("" if name == "connect" else BEFORE) + first + steps + last
        text = AROUND.replace("rooms:\n", SERVER.get(name, "") + "rooms:\n") + textwrap.indent(
            steps_of_it, "  "
        )
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    ran = chatsim("run", folder, "--speed", "max", "-j", "4")
    assert ran.code == 0, ran
    # Whom nothing is denied, as root, no directory is read-only.
    skipped = {name for name in EXAMPLES if not (ran.row(name) / "verdicts.json").is_file()}
    assert skipped <= {"read_only"}
