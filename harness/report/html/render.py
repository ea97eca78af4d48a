"""A page as text: the template filled in, with its style, its scripts and its data in one file.

What keeps strangers' words from doing anything: the template escapes every value; the data of the scripts holds no
`<`, `>` or `&`; and the policy of the page lets run only the scripts whose hashes it names, and loads nothing.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from harness import __version__
from harness.model.verdict import Verdict
from harness.report import text
from harness.report.fold import StepReport
from harness.report.html.latency import BOUNDS
from harness.report.html.page import Page
from harness.report.model import RowReport
from harness.report.terminal import CHECK_MARKS, STEP_MARKS, again_line

_SCRIPTS = ("frame.js", "layout.js", "diagram.js", "panes.js", "latency.js", "main.js")
_TEMPLATES = ("frame.html.jinja", "page.html.jinja", "list.html.jinja")
#: Lines of a scenario that are shown.
_SCRIPT_LINES = 3_000
#: A space at which no line is broken, and where it belongs.
_FIRM = "\u00a0"
#: A word of a command that may have its value behind it.
_OPTION = re.compile(r"--?[A-Za-z][\w-]*")
_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|min)\b)|(?<=\bsequence) (?=\d)")


class _Line(NamedTuple):
    """One line of the scenario."""

    number: int
    text: str
    steps: tuple[StepReport, ...]
    told: bool
    """Whether a violation points at it."""


def render_page(page: Page) -> str:
    """Return the page of a row."""
    row = page.row
    end = max(page.end_ns, 1)

    def rect(kind: str, begun: int, ended: int, y: int, height: int) -> Markup:
        x, width = begun * 1000 / end, max(2.0, (ended - begun) * 1000 / end)
        return Markup('<rect class="{}" x="{:.1f}" width="{:.1f}" y="{}" height="{}"/>').format(
            kind, x, width, y, height
        )

    pointers = {verdict.pointer for verdict in row.verdicts if verdict.pointer}
    spans = {pointer: row.span(pointer) for pointer in pointers}
    return _fill(
        "page.html.jinja",
        _SCRIPTS,
        page=page,
        row=row,
        again=again_line(row) if row.plan.file else "",
        brief=_brief(row),
        facts=_facts(page),
        script=_script(page),
        lines={pointer: span.line if span else None for pointer, span in spans.items()} | {None: None},
        tones={status.value: mark for status, mark in CHECK_MARKS.items()},
        step_marks=STEP_MARKS,
        rect=rect,
        why=_why,
        until=lambda step: _until(step, page),
        version=__version__,
        data=Markup(embedded(to_json(page))),  # noqa: S704 - `embedded` leaves nothing that is markup
    )


def render_list(
    heading: str,
    columns: Sequence[str],
    items: Sequence[Mapping[str, Any]],
    *,
    status: str = "",
    told: str = "",
    again: str = "",
) -> str:
    """Return a page that leads to others.

    Args:
        heading: What it lists.
        columns: Heads of the table; the first two are the status and the name.
        items: {status, name, link, cells} of each row; `link` is an address relative to the page, or empty. A row
            with a `note` has that instead of cells.
        status: Of all of it.
        told: The line under the heading.
        again: The command to play it again.
    """
    return _fill(
        "list.html.jinja",
        ("frame.js",),
        heading=text.safe(heading),
        columns=columns,
        items=items,
        status=status,
        told=told,
        again=again,
    )


def to_json(page: Page) -> dict[str, Any]:
    """Return what the scripts of a page draw from."""
    clients = page.row.plan.clients
    users: dict[str, list[str]] = {}
    for client in clients:
        users.setdefault(text.safe(client.user), []).append(client.name)
    return {
        "clients": [client.name for client in clients],
        "users": users,
        "findings": [
            {"proof": finding.proof, "messages": finding.messages, "clients": finding.clients}
            for finding in page.findings
        ],
        "played": page.played,
        "partial": bool(page.partial),
        "diagram": _plain(page.diagram),
        "messages": _plain(page.messages),
        "acks": _plain(page.acks),
        "entries": _plain(page.entries),
        "latencies": _plain(page.latencies),
        "bounds": BOUNDS if page.latencies else (),
        "density": page.density,
        "end_ns": page.end_ns,
        "focus": page.focus,
    }


def embedded(data: Any) -> str:
    """Return data as JSON that can stand inside a script element: nothing in it can end the element."""
    plain = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return plain.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _plain(value: Any) -> Any:
    """Return named tuples as objects, all the way down."""
    if isinstance(value, tuple):
        if hasattr(value, "_fields"):
            return {name: _plain(item) for name, item in zip(value._fields, value, strict=True)}
        return [_plain(item) for item in value]
    return value


def _until(step: StepReport, page: Page) -> int:
    """Return when a step ended, ns; of one that did not, the end of the record."""
    return page.end_ns if step.end_ns is None else step.end_ns


def _why(verdict: Verdict) -> str:
    """Return why a check ended as it did: its reason, else the first of its violations."""
    if verdict.reason or not verdict.violations:
        return text.safe(verdict.reason)
    more = len(verdict.violations) - 1
    return text.clip(text.safe(verdict.violations[0].sentence), 300) + (f", and {more} more" if more else "")


def _brief(row: RowReport) -> list[str]:
    """Return in a few words how it ran: what one compares first when the same scenario ended otherwise."""
    versions = row.env.get("versions")
    told = [
        f"seed {row.seed}",
        str(row.env.get("server") or ""),
        ", ".join(f"{k} {v}" for k, v in versions.items()) if isinstance(versions, dict) else "",
        row.started_at[:19].replace("T", " ") + " UTC" if row.started_at else "",
    ]
    return [fact for fact in told if fact]


def _facts(page: Page) -> list[tuple[str, str]]:
    row, env = page.row, page.row.env
    told = [
        ("started", row.started_at),
        ("command", " ".join(map(str, env.get("command") or ()))),
        ("driver", env.get("driver")),
        ("speed", env.get("speed")),
        ("scripted waiting", text.seconds(row.scripted_waiting_ns) if row.scripted_waiting_ns else ""),
        ("machine", f"{env.get('platform')}, {env.get('cpus')} CPUs" if env.get("platform") else ""),
        ("folder", row.directory),
    ]
    return [(key, str(value)) for key, value in told if value not in (None, "")]


def _script(page: Page) -> list[_Line]:
    steps: dict[int, list[StepReport]] = {}
    for step in page.row.steps:
        steps.setdefault(step.line, []).append(step)
    told = {finding.line for finding in page.findings}
    source = page.row.plan.source.splitlines()[:_SCRIPT_LINES]
    return [
        _Line(number, text.safe(line), tuple(steps.get(number, ())), number in told)
        for number, line in enumerate(source, start=1)
    ]


def _fill(name: str, scripts: Sequence[str], **values: Any) -> str:
    style, texts = asset("page.css"), [asset(script) for script in scripts]
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {' '.join(map(_hash, texts))}; "
        "base-uri 'none'; form-action 'none'"
    )
    # What is ours stands in the page as it is.
    return (
        _environment()
        .get_template(name)
        .render(
            policy=policy,
            style=Markup(style),  # noqa: S704 - what is ours stands as it is
            scripts=[Markup(script) for script in texts],  # noqa: S704 - what is ours stands as it is
            **values,
        )
    )


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


@functools.cache
def asset(name: str) -> str:
    """Return the text of a file that belongs to the pages."""
    return resources.files("harness.report.html").joinpath("assets", name).read_text(encoding="utf-8")


def _firm(told: str) -> str:
    """Return a text in which no number is parted from its unit at the end of a line."""
    return _UNIT.sub(_FIRM, told)


def _words(told: str, between: str = " ") -> Markup:
    """Return a text that is broken only between its parts, where these fit on a line."""
    end = between.rstrip()  # a comma stays with what is before it
    *parts, last = told.split(between)
    return _kept((*(part + end for part in parts), last), between[len(end) :])


def _command(told: str) -> Markup:
    """Return a command that is not broken between an option and its value; what is copied of it is the same text."""
    parts: list[str] = []
    for word in told.split(" "):
        if parts and _OPTION.fullmatch(parts[-1]) and not word.startswith("-"):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return _kept(parts, " ")


def _kept(parts: Iterable[str], between: str) -> Markup:
    kept = (Markup('<span class="keep">{}</span>').format(part) for part in parts)
    return Markup(between).join(kept)  # noqa: S704 - what stands between is ours


def _cells(line: str) -> Markup:
    """Return a line in which wide characters take two cells, so that carets below them stand where they are meant."""
    line = _firm(line)
    if line.isascii():
        return escape(line)
    wide = Markup('<span class="two">{}</span>')
    return Markup("").join(wide.format(char) if text.char_width(char) == 2 else escape(char) for char in line)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader({name: asset(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "safe_text": lambda value: text.safe(str(value)),
        "seconds": lambda ns: _firm(text.seconds(ns)),
        "moment": lambda ns: _firm(text.moment(ns)),
        "count": lambda number, noun: text.count(number, noun).replace(" ", _FIRM),
        "firm": _firm,
        "words": _words,
        "command": _command,
        "cells": _cells,
    }
    return environment
