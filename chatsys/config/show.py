"""The configuration for people: the help of the flags, and what is in effect as a TOML file one may keep."""

import json
import textwrap
from collections.abc import Iterable
from typing import Any

from chatsys.config.read import CONFIG_FLAG, CONFIG_VARIABLE, Configuration
from chatsys.config.table import Setting, settings_of


def help_text(rows: Iterable[Setting], usage: str, about: str) -> str:
    """The help of a command whose options are settings."""
    parts = [f"usage: {usage} [OPTION...]\n\n{about}\n\noptions:\n"]
    parts.append(_option(f"{CONFIG_FLAG} FILE", f"a TOML file of settings (env: {CONFIG_VARIABLE})"))
    for row in rows:
        default = row.said or ("" if row.default is None else row.show(row.default))
        ending = f" (default: {default})" if default else ""
        word = "" if row.kind.flag else f" {row.kind.word}"
        parts.append(_option(f"{row.flag}{word}", row.help + ending))
    parts.append(_option("--help", "show this and leave"))
    parts.append(
        "\nEach option is also a variable, CHATSYS_ and its name in capitals (--tls-cert: CHATSYS_TLS_CERT), and a"
        "\nkey of the file (tls_cert). Options come before variables, variables before the file.\n"
    )
    return "".join(parts)


def show(configuration: Configuration[Any]) -> str:
    """The effective configuration as TOML; a comment says where each value comes from."""
    lines = []
    for row, value, origin in _rows(configuration):
        text = f"# {row.name} = (not set)" if value is None else f"{row.name} = {_toml(row, value)}"
        lines.append(f"{text:<48}  # {origin}\n")
    return "".join(lines)


def show_json(configuration: Configuration[Any]) -> str:
    """The same as one JSON object: name to value and origin."""
    return json.dumps(
        {
            row.name: {"value": None if value is None else row.show(value), "origin": origin}
            for row, value, origin in _rows(configuration)
        },
        ensure_ascii=False,
        indent=2,
    )


def _rows(configuration: Configuration[Any]) -> Iterable[tuple[Setting, Any, str]]:
    for row in settings_of(type(configuration.settings)):
        yield row, _find(configuration.settings, row.name), configuration.origins[row.name]


def _find(table: Any, name: str) -> Any:
    if hasattr(table, name):
        return getattr(table, name)
    return getattr(table.limits, name)


def _toml(row: Setting, value: Any) -> str:
    text = row.show(value)
    # A JSON string is a TOML string.
    return (
        text
        if isinstance(value, (bool, int)) or _is_number(value, text)
        else json.dumps(text, ensure_ascii=False)
    )


def _is_number(value: Any, text: str) -> bool:
    """Whether it is shown as a plain number, and not, as a time is, with its unit."""
    return isinstance(value, float) and text == str(value)


def _option(left: str, right: str) -> str:
    wrapped = textwrap.fill(right, 110, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"  {left}\n{wrapped}\n"
