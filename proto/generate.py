"""Generates `chatsys/v1` from `proto/chatsys/v1`, or with `--check` says whether it is stale.

Run it in an environment that has the dependency group `proto` (`tox run -e generate` does): the generator's
version is the lowest grpcio that the generated code will run on.
"""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
TARGET = PROTO.parent / "chatsys" / "v1"
MARKER = '"""Generated from proto/chatsys/v1 by proto/generate.py; do not edit."""\n'


def generate(into: Path) -> None:
    """Write the generated modules and their typed stubs below `into`/chatsys/v1."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("chatsys/v1/*.proto"))
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    outputs = [f"--{kind}_out={into}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    if protoc.main(["protoc", f"-I{PROTO}", f"-I{well_known}", *outputs, *sources]) != 0:
        sys.exit("protoc failed; its complaint is above")
    (into / "chatsys" / "v1" / "__init__.py").write_text(MARKER)


def main() -> None:
    """Generate in place, or compare with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when chatsys/v1 is stale")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = {path.name: path for path in (Path(scratch) / "chatsys" / "v1").iterdir()}
        if check:
            present = {path.name: path for path in TARGET.glob("*.py*") if path.is_file()}
            stale = sorted(
                name
                for name in fresh.keys() | present.keys()
                if name not in fresh
                or name not in present
                or not filecmp.cmp(fresh[name], present[name], shallow=False)
            )
            if stale:
                sys.exit(f"chatsys/v1 is stale ({', '.join(stale)}): run `tox run -e generate`")
            return
        for old in TARGET.glob("*_pb2*"):
            old.unlink()
        for name, path in fresh.items():
            (TARGET / name).write_bytes(path.read_bytes())


if __name__ == "__main__":
    main()
