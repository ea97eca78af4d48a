"""`python -m tests.broken NAME [--sound] [OPTION...]`: serve as that broken server, or as the good one."""

from __future__ import annotations

import sys
from pathlib import Path

from chatsys.server.gate import make_gate
from chatsys.server.main import main
from chatsys.server.reading import Reading
from chatsys.store.schema import FILE
from tests.broken import GALLERY
from tests.broken.gates import GATES

name, *options = sys.argv[1:]
sound = "--sound" in options
serve = [option for option in options if option != "--sound"]
broken = GALLERY.get(name) or next(each for each in GATES.values() if each.name == name)
data = Path(serve[serve.index("--data") + 1])
ended_well = data / "ended-well"
if not sound and broken.before is not None and (data / FILE).exists():
    broken.before(data, ended_well.exists())
ended_well.unlink(missing_ok=True)
auth = "none" if broken.gate is None else "tokens"
code = main(
    ["--port", "0", "--auth", auth, *serve],
    reading=Reading if sound else broken.reading,
    gate=make_gate if sound or broken.gate is None else broken.gate,
)
if data.is_dir():
    ended_well.touch()
sys.exit(code)
