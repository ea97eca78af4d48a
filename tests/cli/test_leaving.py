"""How `chatsim` ends when chatsim, the machine or a person is to blame: never with the code of a failed run."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIST = [sys.executable, "-m", "harness", "list", str(ROOT / "scenarios" / "basic.yaml")]


def ends(script, *before):
    """Run the command line with something amiss in it, and these words before its own."""
    words = [
        *before,
        sys.executable,
        "-c",
        f"import os, signal\nfrom harness import cli\n{script}\ncli.main(['list', 'x'])",
    ]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def shell(script):
    """Words that do something in a shell, then become the command behind them.

    No Python may run between fork and exec here: other tests of this process have left threads of gRPC.
    """
    return ["sh", "-c", script.replace("COMMAND", '"$@"'), "sh"]


def test_its_own_fault_is_no_failed_run():
    ran = ends("def begin(_): raise LookupError('lost my way')\ncli.early.begin = begin")
    assert ran.returncode == 3
    assert "LookupError: lost my way" in ran.stderr  # with all that led to it: it is for whoever mends it
    assert ran.stderr.endswith(
        "Error: chatsim itself broke, which says nothing of any server; please report it\n"
    )


def test_a_trouble_of_the_machine_is_a_sentence_with_its_remedy():
    ran = ends("def begin(_): raise OSError(24, 'Too many open files', 'a/log')\ncli.early.begin = begin")
    assert ran.returncode == 3
    assert ran.stderr == "Error: a/log: Too many open files\n`ulimit -n 4096` allows a process more\n"


def test_ctrl_c_before_anything_has_begun_leaves_at_once():
    ran = ends("cli.early.begin = lambda _: os.kill(os.getpid(), signal.SIGINT)")
    assert (ran.returncode, ran.stderr) == (130, "interrupted\n")


def test_ctrl_c_that_is_to_be_ignored_is():
    """A shell starts jobs in the background so."""
    ran = ends(
        "cli.early.begin = lambda _: os.kill(os.getpid(), signal.SIGINT)",
        *shell("trap '' INT; exec COMMAND"),
    )
    assert ran.returncode == 2
    assert "there is no such file" in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_results_that_a_full_disk_does_not_take_are_missed():
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(LIST, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 3
    assert "Error: standard output takes no more: No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_descriptor_that_is_closed_from_the_start_is_nowhere(closed):
    out, err = (None if fd == closed else subprocess.PIPE for fd in (1, 2))
    words = [*shell(f"exec COMMAND {closed}>&-"), *LIST]
    ran = subprocess.run(words, stdout=out, stderr=err, text=True, check=False)
    assert ran.returncode == 0, ran
    assert (ran.stdout or "basic[stream]").startswith("basic[stream]")
    assert (ran.stderr or "2 scenarios\n") == "2 scenarios\n"


def test_a_name_that_no_record_could_hold_is_refused():
    ran = subprocess.run(
        [*LIST[:3], "check", b"a\xff.yaml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert (
        "Error: a\\udcff.yaml is not UTF-8, as all that chatsim records is: give it another name"
        in ran.stderr
    )
