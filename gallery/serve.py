"""`python -m gallery.serve NAME [--sound] [OPTION...]`: serve as that broken server, or as the good one.

Beside the options of `chatsys serve` it takes `--options {options}`, which chatsim fills in.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from chatsys.server.gate import make_gate
from chatsys.server.main import main as serve
from chatsys.server.reading import Reading
from chatsys.store.schema import FILE
from gallery import GALLERY
from gallery.gates import GATES

ENDED_WELL = "ended-well"
"""A file in the data directory that says how the life before ended."""


def main(argv: Sequence[str]) -> int:
    """Serve until told to end; return the exit code."""
    name, *options = argv
    sound = "--sound" in options
    rest = _plain([option for option in options if option != "--sound"])
    broken = GALLERY.get(name) or next(each for each in GATES.values() if each.name == name)
    data = Path(rest[rest.index("--data") + 1])
    ended_well = data / ENDED_WELL
    if not sound and broken.before is not None and (data / FILE).exists():
        broken.before(data, ended_well.exists())
    ended_well.unlink(missing_ok=True)
    if not sound and broken.tamper is not None:
        broken.tamper()
    auth = "none" if broken.gate is None else "tokens"
    code = serve(
        ["--port", "0", "--auth", auth, *rest],
        reading=Reading if sound else broken.reading,
        gate=make_gate if sound or broken.gate is None else broken.gate,
    )
    if data.is_dir():
        ended_well.touch()
    return code


def _plain(options: Sequence[str]) -> list[str]:
    """Return the options, those of `--options {"send_rate": "30/m"}` spelt as chatsys takes them."""
    if "--options" not in options:
        return list(options)
    place = options.index("--options")
    given = json.loads(options[place + 1])
    added = [f"--{name.replace('_', '-')}={text}" for name, text in given.items()]
    return [*options[:place], *options[place + 2 :], *added]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
