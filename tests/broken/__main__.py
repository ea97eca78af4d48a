"""`python -m tests.broken NAME [--sound] [OPTION...]`: serve as that broken server, or as the good one."""

from __future__ import annotations

import sys

from chatsys.server.main import main
from chatsys.server.reading import Reading
from tests.broken import GALLERY

name, *options = sys.argv[1:]
sound = "--sound" in options
serve = [option for option in options if option != "--sound"]
sys.exit(main(["--port", "0", "--auth", "none", *serve], reading=Reading if sound else GALLERY[name].reading))
