"""From a path to the text of a scenario: every way in which reading can fail has its sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from harness.source.diagnostic import LINE_BREAK, Diagnostic
from harness.verbs.phrases import count

MAX_BYTES = 1 << 20

_SUFFIXES = (".yaml", ".yml")
_LOOKS_LIKE_SCENARIO = re.compile(r"""^["']?scenario["']?\s*:""", re.MULTILINE)


def read(path: str) -> str | Diagnostic:
    """Return the text of a file, without a byte order mark, or say why it cannot be read."""
    try:
        path.encode()
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
            size = Path(path).stat().st_size
    except OSError as fault:
        return _unreadable(path, fault)
    except ValueError:  # a NUL in the name, or bytes that are no UTF-8, which no record could hold
        return Diagnostic(code="no-such-file", message="a file cannot have this name", file=path)
    if len(raw) > MAX_BYTES:
        megabytes = max(size, len(raw)) / (1 << 20)
        return Diagnostic(
            code="too-large",
            message=f"the file has {megabytes:.1f} MiB; a scenario has 1 MiB at most",
            file=path,
            help=("a series is one step with `repeat`; many clients are a count: `user: 50`",),
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        return _not_utf8(path, raw, fault)
    if not text.strip():
        return Diagnostic(
            code="empty-file",
            message="the file is empty",
            file=path,
            help=("a scenario begins with `scenario: TITLE`, then `clients:`, `rooms:` and `steps:`",),
        )
    return text


def position(text: str, index: int) -> tuple[int, int]:
    """Return line and column, from 1, of a character of `text`."""
    line, start = 1, 0
    for match in LINE_BREAK.finditer(text, 0, index):
        line, start = line + 1, match.end()
    return line, index - start + 1


def find(folder: Path) -> list[str]:
    """Return the scenario files in a folder and below, sorted.

    Under a folder called `scenarios` every YAML file is one; elsewhere those with a `scenario` key on a line
    of their own. Hidden folders are passed over.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix not in _SUFFIXES or not path.is_file():
            continue
        inside = path.relative_to(folder).parts
        if any(part.startswith(".") for part in inside):
            continue
        ours = "scenarios" in (*folder.resolve().parts, *inside[:-1])
        if ours or _mentions_scenario(path):
            found.append(str(path))
    return found


def no_scenarios(folder: str, seen: Sequence[Path] = ()) -> Diagnostic:
    """Return the diagnostic for a folder without scenarios."""
    others = f"; none of its {count(len(seen), 'YAML file')} has a `scenario` key" if seen else ""
    return Diagnostic(
        code="no-scenarios",
        message=f"the folder has no scenarios{others}",
        file=folder,
        help=("a scenario is a file ending in .yaml or .yml with `scenario: TITLE` in it",),
    )


def no_place_for_tags(tags: Sequence[str], folder: str) -> Diagnostic:
    """Return the diagnostic for tags without a path, where there is no folder to look into."""
    return Diagnostic(
        code="no-scenarios",
        message=f"tags are looked for in ./{folder}, and there is no such folder here",
        file=" ".join(tags),
        help=(f"name the folder too: `FOLDER '{tags[0]}'`",),
    )


def _mentions_scenario(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(MAX_BYTES)
    except OSError:
        return True  # named, so that it is reported as unreadable instead of being passed over
    return _LOOKS_LIKE_SCENARIO.search(head.decode("utf-8", "replace")) is not None


def _unreadable(path: str, fault: OSError) -> Diagnostic:
    if isinstance(fault, FileNotFoundError | NotADirectoryError):
        return Diagnostic(code="no-such-file", message="there is no such file", file=path, help=_near(path))
    reason = (fault.strerror or str(fault)).lower()
    return Diagnostic(code="unreadable", message=f"the file cannot be read: {reason}", file=path)


def _near(path: str) -> tuple[str, ...]:
    """Say which file may have been meant: one beside it, or one of `scenarios` by the name that `list` shows."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a wrong path

    wrong = Path(path)
    stem = wrong.stem.partition("[")[0]
    for folder in dict.fromkeys((wrong.parent, wrong.parent / "scenarios")):
        try:
            names = [item.name for item in folder.iterdir() if item.suffix in _SUFFIXES or item.is_dir()]
        except OSError:
            if folder == wrong.parent:
                return (f"there is no folder {wrong.parent} either",)
            continue
        stems = {Path(name).stem: name for name in names}
        if close := get_close_matches(stem, stems, n=1):
            return (f"did you mean {folder / stems[close[0]]}?",)
    return ()


def _not_utf8(path: str, raw: bytes, fault: UnicodeDecodeError) -> Diagnostic:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Diagnostic(
            code="not-utf-8", message="the file is UTF-16, not UTF-8", file=path, help=("save it as UTF-8",)
        )
    before = raw[: fault.start].decode("utf-8-sig", "replace")
    line, column = position(before + "?", len(before))
    return Diagnostic(
        code="not-utf-8",
        message=f"the file is not UTF-8: byte 0x{raw[fault.start]:02X} is no part of a character",
        file=path,
        line=line,
        column=column,
        help=("save it as UTF-8",),
    )
