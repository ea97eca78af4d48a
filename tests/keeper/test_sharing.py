"""What a process allocates after `settle` lies side by side, and not in the gaps between older objects."""

import subprocess
import sys

import pytest

# Gaps: of many objects in a row every other one is freed. Then: on how many pages do new ones of this size lie?
GAPS = """
import sys
from harness.keeper import sharing
size = int(sys.argv[1])
old = [bytes(size) for _ in range(2_000)]
del old[::2]
if sys.argv[2] == "settled":
    sharing.settle()
print(len({id(block) >> 12 for block in [bytes(size) for _ in range(500)]}))
"""


def pages(size, how):
    command = [sys.executable, "-c", GAPS, str(size), how]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("size", [40, 300, 700, 2000])
def test_new_objects_lie_side_by_side(size):
    least = 500 * sys.getsizeof(bytes(size)) / 4096
    assert pages(size, "settled") < 1.3 * least + 4
    assert pages(size, "not") > 1.6 * least
