"""Paths -> plans, or every fault of every file in one go. Draws no randomness and starts nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from harness.model.plan import Plan
from harness.source import text as texts
from harness.source.compile import compile_plans
from harness.source.diagnostic import Diagnostic, in_order

#: Where tags alone look.
_TAGGED = "scenarios"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading: plans and diagnostics. With an error among these, nothing should be started."""

    plans: tuple[Plan, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    """File -> text, for `render`."""
    tags: tuple[str, ...] = ()
    """All tags of the scenarios that were looked at, those that were not chosen too; each once, in order."""

    @property
    def nothing(self) -> bool:
        """Whether all is well and yet nothing was selected, as with a tag that no scenario has."""
        return not self.plans and not self.failed

    @property
    def failed(self) -> bool:
        """Whether there is an error: exit code 2."""
        return any(item.severity == "error" for item in self.diagnostics)


def load(paths: Sequence[str], *, seed: int | None = None, drawn_seed: int = 0) -> Loaded:
    """Load scenarios.

    Args:
        paths: Files, folders (searched to the bottom) and tags (`#smoke`: of the scenarios found, those that
            have one of the tags; tags alone look into `scenarios`).
        seed: Stands above the seeds of the files.
        drawn_seed: For files without a seed.

    Returns:
        Plans in the order of the paths, each file once, names unique; and all diagnostics, in order.
    """
    tags = {path[1:] for path in paths if path.startswith("#")}
    found: list[Diagnostic] = []
    files = scenario_files(paths, found)
    sources: dict[str, str] = {}
    names = _names(files)
    plans: list[Plan] = []
    there: set[str] = set()
    for file in files:
        source = texts.read(file)
        if isinstance(source, Diagnostic):
            found.append(source)
            continue
        sources[file] = source
        made, faults = compile_plans(
            source, file, names[file], seed=seed, drawn_seed=drawn_seed, environ=os.environ
        )
        found += faults
        there.update(tag for plan in made for tag in plan.tags)
        plans += [plan for plan in made if not tags or tags & set(plan.tags)]
    return Loaded(tuple(plans), in_order(found), sources, tuple(sorted(there)))


def scenario_files(paths: Sequence[str], found: list[Diagnostic] | None = None) -> list[str]:
    """Return the files that these paths mean, each once, in their order; tags alone look into `scenarios`.

    Args:
        paths: As for `load`.
        found: Takes what is wrong with a path.
    """
    files: dict[str, str] = {}
    places = [path for path in paths if not path.startswith("#")]
    if not places and not Path(_TAGGED).is_dir():
        if found is not None:
            found.append(texts.no_place_for_tags(paths, _TAGGED))
        return []
    for path in places or [_TAGGED]:
        for file in _files(path, [] if found is None else found):
            files.setdefault(str(Path(file).absolute()), file)
    return list(files.values())


def _files(path: str, found: list[Diagnostic]) -> list[str]:
    try:
        is_folder = Path(path).is_dir()
    except (OSError, ValueError):
        is_folder = False
    if not is_folder:
        return [path]
    files = texts.find(Path(path))
    if not files:
        found.append(texts.no_scenarios(path))
    return files


def _names(files: Sequence[str]) -> dict[str, str]:
    """Give each file its stem, or as much of its path as makes it unique."""
    taken: dict[str, str] = {}
    stems: dict[str, int] = {}
    for file in files:
        stems[PurePath(file).stem] = stems.get(PurePath(file).stem, 0) + 1
    for file in files:
        path = PurePath(file)
        parts = [path.stem]
        folders = [part for part in reversed(path.parts[:-1]) if part not in ("/", ".", "..")]
        if stems[path.stem] > 1 and folders:
            parts.insert(0, folders.pop(0))
        name = "/".join(parts)
        while name in taken.values() and folders:
            name = f"{folders.pop(0)}/{name}"
        plain, number = name, 2
        while name in taken.values():
            name, number = f"{plain}-{number}", number + 1
        taken[file] = name
    return taken
