"""`python -m harness` is `chatsim`."""

from harness.cli import main

main()
