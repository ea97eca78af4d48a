"""`python -m tests.broken NAME [--sound] [OPTION...]`: serve as that broken server, or as the good one."""

from __future__ import annotations

import sys
from pathlib import Path

from chatsys.server.main import main
from chatsys.server.reading import Reading
from chatsys.store.schema import FILE
from tests.broken import GALLERY

name, *options = sys.argv[1:]
sound = "--sound" in options
serve = [option for option in options if option != "--sound"]
broken = GALLERY[name]
data = Path(serve[serve.index("--data") + 1])
ended_well = data / "ended-well"
if not sound and broken.before is not None and (data / FILE).exists():
    broken.before(data, ended_well.exists())
ended_well.unlink(missing_ok=True)
code = main(["--port", "0", "--auth", "none", *serve], reading=Reading if sound else broken.reading)
if data.is_dir():
    ended_well.touch()
sys.exit(code)
