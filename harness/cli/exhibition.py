"""A gallery of reports: the page of each run of the selftest, and one that leads to them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.cli.derive import recall
from harness.report.matrix import Exhibit, Trial

_HEAD = """\
# Gallery

<!-- Made by `chatsim selftest --list --md > docs/gallery.md`; do not edit. -->

What does a report look like when something is wrong? `chatsim selftest` plays {number} systems that are broken on
purpose. Each must be convicted of exactly what it declares, and with its fault switched off it must pass the same
scenarios. This leaves their reports, good and bad, and a page that leads to them all:

```console
$ chatsim selftest --pages gallery swallows leaks-after-kick
ok   swallows [..]
ok   leaks-after-kick [..]
ok   the good server [..]

2 broken systems, 6 runs, each as declared in 3.2 s
  page  gallery/index.html
```

Without names it plays all of them. A server of this table can be played against a scenario of yours, too:
`chatsim run mine.yaml --server "python -m gallery.serve swallows --port {{port}} --data {{data}}"`.

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


def write_exhibition(exhibits: Sequence[Exhibit], trials: Sequence[Trial], directory: Path) -> Path:
    """Write the pages of what was played into its folders, and return the page that leads to them.

    Args:
        exhibits: What was chosen to be played.
        trials: How each run ended; their folders are in `directory`.
        directory: Where the page goes that leads to them.
    """
    # The template library is dear to import, and few ask for pages.
    from harness.report.html.files import write_gallery, write_row_page  # noqa: PLC0415

    does = {exhibit.name: exhibit.does for exhibit in exhibits}
    shown = []
    for trial in trials:
        folder = Path(trial.directory)
        row = recall(folder)
        write_row_page(row, folder)
        shown.append((row, trial.system, does.get(trial.system, "nothing is wrong with it")))
    return write_gallery(shown, directory)
