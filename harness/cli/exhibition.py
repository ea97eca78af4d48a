"""A gallery of reports: the page of each run of the selftest, and one that leads to them all."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.cli import pages
from harness.cli.derive import recall
from harness.report.matrix import Exhibit
from harness.report.model import Invocation

SERVE = "gallery.serve"
"""The module that serves as one of the broken systems."""

_HEAD = """\
# Gallery

<!-- Made by `chatsim selftest --list --md > docs/gallery.md`; do not edit. -->

What does a report look like when something is wrong? `chatsim selftest` plays {number} systems that are broken on
purpose. Each must be convicted of exactly what it declares, and with its fault switched off it must pass the same
scenarios. This leaves their reports, good and bad, and a page that leads to them all:

```console
$ chatsim selftest --pages broken-pages swallows leaks-after-kick
ok   swallows [..]
ok   leaks-after-kick [..]
ok   the good server [..]

2 broken systems, 6 runs, each as declared in 3.2 s
  page    broken-pages/index.html
```

Without names it plays all of them. One of this table can play a scenario of yours, too, a broken server or a broken
driver:

```sh
chatsim run mine.yaml --server "python -m gallery.serve swallows --data {{data}}"
chatsim run mine.yaml --driver "python -m gallery.tells_wrongly goes-back"
```

| system | what it does | convicted of | what is broken |
|---|---|---|---|
"""


def page_of(exhibits: Sequence[Exhibit]) -> str:
    """Return docs/gallery.md."""
    rows = (
        f"| `{each.name}` | {each.does} | {', '.join(sorted(each.kinds | each.others))} | "
        f"{'a driver' if each.drives else 'the server'} |\n"
        for each in exhibits
    )
    return _HEAD.format(number=len(exhibits)) + "".join(rows)


def write_exhibition(folders: Sequence[Path], directory: Path) -> Path:
    """Write the pages of what was played against systems of the gallery, and return the page that leads to them.

    Args:
        folders: of the rows, in the order in which the page lists them.
        directory: where that page goes; the folders are in it.
    """
    rows = [recall(folder) for folder in folders]
    for row, folder in zip(rows, folders, strict=True):
        pages.write(Invocation(rows=(row,)), folder)
    page = pages.write_gallery(rows, directory)
    assert page is not None, "each of these rows was played against a system of the gallery"
    return page


def serving(name: str, *options: str) -> str:
    """Return the server command that starts a system of the gallery, for `chatsim run --server`.

    Args:
        name: the system.
        options: such as `--data {data}`, a word in braces not quoted.
    """
    found = shutil.which("python")
    ours = found is not None and Path(found).parent == Path(sys.executable).parent
    return " ".join(["python" if ours else shlex.quote(sys.executable), "-m", SERVE, name, *options])
