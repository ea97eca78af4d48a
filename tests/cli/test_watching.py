"""`--watch` plays again what was edited, and of that only what was asked for."""

from pathlib import Path
from typing import Any, cast

import pytest

from harness.cli import watch
from harness.cli.performance import Performance
from harness.run.settings import Settings


def test_tags_go_on_choosing_and_what_was_typed_is_known(tmp_path, monkeypatch):
    file = tmp_path / "one.yaml"
    file.write_text("scenario: x\n")
    rounds: list[tuple[object, ...]] = []
    monkeypatch.setattr(watch, "_round", lambda p, _seed, _drawn: rounds.append((p.paths, p.typed)))
    looks = iter([{str(file): (1, 1, 1)}])

    def wait_for_change(*_arguments):
        try:
            return next(looks)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(watch, "wait_for_change", wait_for_change)
    performance = Performance(
        launched=cast("Any", None), settings=Settings(), paths=(str(tmp_path), "#smoke"), jobs=1,
        reports=Path("reports"), verbosity=0, color="never", begun_ns=0,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        watch.play_and_watch(performance, None, lambda: cast("Any", None))
    all_of_it = (str(tmp_path), "#smoke")
    assert rounds == [(all_of_it, None), ((str(file), "#smoke"), all_of_it)]
