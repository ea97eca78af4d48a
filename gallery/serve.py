"""`python -m gallery.serve NAME --data DIR [--sound] [OPTION...]`: serve as that broken server, or as the good one.

Beside the options of `chatsys serve` it takes `--options {options}`, which chatsim fills in. Where the driver is what
is broken it serves only `--sound`: the good server would pass for a broken one.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from chatsys.server.gate import make_gate
from chatsys.server.main import main as serve
from chatsys.server.reading import Reading
from chatsys.store.schema import FILE
from gallery import GALLERY
from gallery.broken import Broken
from gallery.gates import GATES

ENDED_WELL = "ended-well"
"""A file in the data directory that says how the life before ended."""


_USAGE = """\
usage: python -m gallery.serve NAME --data DIR [--sound] [OPTION...]

Serve as chatsys that is broken in one way; by --sound, as the good one. OPTION is one of `chatsys serve`.

"""
_NAMED = {broken.name: broken for broken in (*GALLERY.values(), *GATES.values())}


def main(argv: Sequence[str]) -> int:
    """Serve until told to end; return the exit code: 2 when asked for what is not there."""
    name, *options = argv or ("--help",)
    sound = "--sound" in options
    broken = _NAMED.get(name)
    if fault := _fault(name, options, broken, sound=sound):
        sys.stderr.write(f"gallery.serve: {fault}\n")
        return 2
    if broken is None:
        servers = [each for each in _NAMED.values() if each.drive is None]
        sys.stdout.write(_USAGE + "".join(f"  {each.name}: {each.does}\n" for each in servers))
        return 0
    rest = _plain([option for option in options if option != "--sound"])
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


def _fault(name: str, options: Sequence[str], broken: Broken | None, *, sound: bool) -> str:
    """Return what is wrong with the command line; empty when nothing is."""
    if broken is None:
        if name in ("-h", "--help"):
            return ""
        near = difflib.get_close_matches(name, _NAMED, 1)
        return f"no broken server is called {name}; " + (
            f"did you mean {near[0]}?" if near else "--help says what there is"
        )
    if broken.drive is not None and not sound:
        return (
            f"{name} is a broken driver, and its server is the good one: "
            f'play it by --driver "python -m {broken.drive.__module__} {name}", without --server'
        )
    if "--data" not in options[:-1]:
        return "say where it keeps its log: --data DIR, or --data {data} for chatsim run"
    return ""


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
