"""``python -m chatsys.cli``: the same as ``chatsys``."""

from chatsys.cli import main

main()
