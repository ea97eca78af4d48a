"""Writes docs/errors.md from the table: ``python -m chatsys.errors.page > docs/errors.md``."""

import sys

from chatsys.errors.table import DOMAIN, TABLE

_HEAD = f"""\
# Errors

<!-- Made from the table in chatsys/errors/table.py by `python -m chatsys.errors.page`; do not edit. -->

Every error of chatsys is a `google.rpc.Status` in the trailer `grpc-status-details-bin`, with an `ErrorInfo`
whose domain is `{DOMAIN}` and whose reason is one of these. Programs branch on the reason, people read the
message.

| Reason | Status | When | Beside it | What the client library does |
|---|---|---|---|---|
"""


def render() -> str:
    """The page as Markdown."""
    rows = (
        f"| `{reason}` | `{row.code.name}` | {row.when} | {row.extra} | {row.client} |\n"
        for reason, row in TABLE.items()
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(render())
