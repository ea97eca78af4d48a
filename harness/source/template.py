"""The text of a new scenario: one that passes as it is, with comments worth keeping."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_PLAIN = re.compile(r"[A-Za-z][\w ,.'’()?!-]*\Z")
#: Words that YAML reads as values.
_NO_TEXT = {"true", "false", "null"}
_COLUMN = 36

_HEAD = """\
#
# Say here what this scenario shows and why it matters, for whoever sees it fail one day.
"""

_TAIL = """\

# All that a step may do: docs/scenarios.md, or `chatsim schema --reference`.
"""


def template(title: str, clients: Sequence[str], schema: str = "") -> str:
    """Return the text of a scenario with these clients, the last of whom comes late.

    Args:
        title: its first line.
        clients: two or more names.
        schema: path of the JSON Schema from the file's folder; empty when there is none.
    """
    first, *others = clients
    *prompt, late = others
    everybody = ", ".join(clients)
    lines = [f"# yaml-language-server: $schema={schema}\n{_HEAD}" if schema else _HEAD.removeprefix("#\n")]
    lines += [
        f"scenario: {_text(title)}\n",
        _noted(f"clients: [{everybody}]", "who takes part; each is a process of its own"),
        "rooms:\n",
        _noted(f"  lobby: [{everybody}]", "members from the start, online or not"),
        "\n",
        _noted("steps:", "in this order; a step begins when the one before it is done"),
        f"  - connect: {_names([first, *prompt])}\n",
        "\n",
        "  - send: Hello!\n",
        f"    from: {first}\n",
        _noted("    id: hello", "a name for this message, used below"),
    ]
    if prompt:
        lines += [
            "  - expect: hello\n",
            f"    received_by: {_names(prompt)}\n",
            _noted(f"    not_by: {first}", "nobody receives their own message"),
            _noted("    within: 2s", "a deadline, not a pause"),
        ]
    lines += [
        "\n",
        _noted(f"  - connect: {late}", "late: the server has kept what was said"),
        "  - expect: hello\n",
        f"    received_by: {late}\n",
        "\n",
        _noted("inboxes:", "at the end: exactly these messages, in this order"),
        _noted(f"  {first}: []", "nothing"),
        *(f"  {name}: [hello]\n" for name in others),
        _TAIL,
    ]
    return "".join(lines)


def _noted(text: str, note: str) -> str:
    return f"{text.ljust(_COLUMN - 1)} # {note}\n"


def _names(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _text(text: str) -> str:
    """Return text as YAML: as it is where that is safe, else quoted; JSON's quotes are YAML's too."""
    line = " ".join(text.split())
    plain = _PLAIN.match(line) and line.lower() not in _NO_TEXT
    return line if plain else json.dumps(line, ensure_ascii=False)
