"""Writes docs/configuration.md from the table: ``python -m chatsys.server.settings_page > docs/configuration.md``."""

import sys

from chatsys.config import settings_of
from chatsys.config.table import Setting
from chatsys.server.settings import Settings

_HEAD = """\
# Configuration of chatsys

<!-- Made from the table in chatsys/server/settings.py by `python -m chatsys.server.settings_page`; do not edit. -->

Each setting has one name in three spellings: the option `--send-rate`, the variable `CHATSYS_SEND_RATE`, and the key
`send_rate` of the TOML file that `--config` or `CHATSYS_CONFIG` names. Options come before variables, variables
before the file; what is none of these settings is an error. `chatsys config` prints the values in effect and where
each comes from. See [Operating chatsys](operating.md) for how they belong together.

A SIZE is a number of bytes, or one with a unit (`64KiB`, `4MiB`); a TIME has a unit (`500ms`, `30s`, `15m`, `12h`,
`30d`); a RATE is so many a second.

| setting | value | default | meaning |
|---|---|---|---|
"""


def render() -> str:
    """The page as Markdown."""
    return _HEAD + "".join(_row(row) for row in settings_of(Settings))


def _row(row: Setting) -> str:
    value = " or ".join(f"`{word}`" for word in row.kind.word.strip("{}").split(","))
    also = "".join(f" Also `{name}`." for name in row.variables[1:])
    return f"| `{row.name}` | {value} | {_default(row)} | {row.help}.{also} |\n"


def _default(row: Setting) -> str:
    if row.said:
        return f"`{row.said}`"
    return "" if row.default is None else f"`{row.show(row.default)}`"


if __name__ == "__main__":
    sys.stdout.write(render())
