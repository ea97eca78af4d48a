"""docs/reading-a-report.md shows a real block and names every key."""

from __future__ import annotations

import json
from pathlib import Path

from harness.model.verdict import RunStatus
from harness.report.failure import failure_block
from harness.report.json_ import to_json
from harness.report.model import Invocation
from harness.report.terminal import _WORDS, summary_line

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reading-a-report.md").read_text(encoding="utf-8")


def keys(data):
    if isinstance(data, dict):
        for key, value in data.items():
            if key not in {"environment", "evidence", "totals"}:
                yield from keys(value)
            yield key
    elif isinstance(data, list):
        for item in data:
            yield from keys(item)


def test_the_block_is_one_that_chatsim_prints(tell):
    row = tell("undelivered")
    first = failure_block(row, blocks=1).removesuffix("\n\n  … and 2 more in report.json")
    assert f"```\n{first}\n```" in PAGE
    assert f"```\n{summary_line(row)}\n```" in PAGE


def test_every_key_of_the_report_is_named(tell):
    data = json.loads(json.dumps(to_json(Invocation(rows=(tell("undelivered"), tell("not_ready"))))))
    assert not {key for key in keys(data) if f"`{key}`" not in PAGE}


def test_every_status_word_is_explained():
    assert set(_WORDS) == set(RunStatus)
    assert not [word for word, _ in _WORDS.values() if f"| `{word}` |" not in PAGE]
