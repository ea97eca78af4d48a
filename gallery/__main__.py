"""`python -m gallery`: print what the gallery declares, as JSON; `chatsim selftest` reads it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gallery import GALLERY

HERE = Path(__file__).parent
SHIPPED = (HERE / "shipped", HERE.parent / "scenarios")
"""Where the scenarios of the suite are: in an installed package, and beside it in a checkout."""


def path_of(name: str) -> Path:
    """Return the file of a scenario that a broken system names."""
    if name.startswith("own/"):
        return HERE / "scenarios" / f"{name.removeprefix('own/')}.yaml"
    return next(folder for folder in SHIPPED if folder.is_dir()) / f"{name}.yaml"


def declarations() -> list[dict[str, object]]:
    """Return what each declares, in the order of the gallery."""
    return [
        {
            "name": broken.name,
            "does": broken.does,
            "kinds": sorted(broken.kinds),
            "others": sorted(broken.others),
            "scenarios": [str(path_of(name)) for name in broken.scenarios],
            "drives": broken.drive is not None,
        }
        for broken in GALLERY.values()
    ]


if __name__ == "__main__":
    json.dump(declarations(), sys.stdout, indent=1)
    sys.stdout.write("\n")
