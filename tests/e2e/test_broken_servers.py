"""Each broken system is convicted of exactly what it declares; with its fault switched off it passes.

A share of the gallery at a time, so that workers can divide it: `chatsim selftest` plays all of it at once.
"""

import html
import re
import shlex
import subprocess
import sys
from urllib.parse import unquote

import pytest

from gallery import GALLERY
from gallery.__main__ import path_of
from gallery.gates import GATES
from harness.model.verdict import FAMILIES
from tests.e2e.conftest import ROOT

SHARES = 6
#: Those of one scenario follow each other: each share also plays its scenarios against the good server.
NAMES = sorted(GALLERY, key=lambda name: sorted(GALLERY[name].scenarios))
KINDS = {kind for kinds in FAMILIES.values() for kind in kinds}


def server(broken, *options):
    return " ".join([sys.executable, "-m", "gallery.serve", broken.name, *options, "--data {data}"])


@pytest.mark.parametrize("share", range(SHARES))
def test_each_is_convicted_of_exactly_its_kinds(chatsim, share):
    names = NAMES[share * len(NAMES) // SHARES : (share + 1) * len(NAMES) // SHARES]
    ran = chatsim("selftest", *names, "-j", "4", "--reports", chatsim.reports)
    assert ran.code == 0, ran
    assert f"{len(names)} broken systems" in ran.out
    assert ran.out.splitlines()[-1] == f"  report  {ran.folder.resolve()}"


def test_the_gallery_is_listed(chatsim):
    ran = chatsim("selftest", "--list", "starves", "echoes")
    assert ran.code == 0, ran
    assert ran.out.splitlines() == [
        "echoes: delivers each message to its sender, too (echo)",
        "starves: shows one member nothing, and answers his fences (false-claim, undelivered)",
    ]


def test_a_gallery_of_reports_is_made(chatsim, tmp_path):
    gallery = tmp_path / "gallery"
    ran = chatsim("selftest", "swallows", "--pages", gallery)
    assert ran.code == 0, ran
    assert ran.out.splitlines()[-1] == f"  page    {gallery / 'index.html'}"
    index = (gallery / "index.html").read_text()
    assert "acknowledges and stores `line 3`, and never delivers it" in index
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', index)
    assert {name for _, name in links} == {"swallows", "the good server"}
    for link, name in links:
        page = (gallery / unquote(link)).read_text()
        assert ("no-loss (undelivered)" in page) is (name == "swallows")
    # Its pages show how to play the same again, and judged again it is the same gallery.
    page = (gallery / "swallows-latecomers[stream]" / "index.html").read_text()
    assert "</span> swallows: latecomers[stream]</h1>" in page
    (command,) = re.findall(r'<code id="again">(.*?)</code>', page)
    again = shlex.split(html.unescape(re.sub(r"<[^>]+>", "", command)))  # each word is kept together
    played = chatsim(*again[1:])
    assert (played.code, "latecomers[stream]" in played.rows) == (1, True), played
    assert played.kinds("latecomers[stream]") == GALLERY["swallows"].kinds
    chatsim("report", gallery)
    assert (gallery / "index.html").read_text() == index
    ran = chatsim("selftest", "swallows", "--pages", gallery)
    assert ran.code == 2
    assert "is not empty" in ran.err


def test_a_name_that_nobody_has(chatsim):
    ran = chatsim("selftest", "ecohes")
    assert ran.code == 2
    assert "no broken server is called ecohes; did you mean echoes?" in " ".join(ran.err.split())


def by_hand(module, *words):
    return subprocess.run(
        [sys.executable, "-m", module, *words], check=False, capture_output=True, text=True, cwd=ROOT
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ecohes", "--data", "x"], "no broken server is called ecohes; did you mean echoes?"),
        (["zzz", "--data", "x"], "no broken server is called zzz; --help says what there is"),
        (["echoes"], "say where it keeps its log: --data DIR"),
        (["echoes", "--data"], "say where it keeps its log: --data DIR"),
        (["goes-back", "--data", "x"], 'play it by --driver "python -m gallery.tells_wrongly goes-back"'),
    ],
)
def test_what_cannot_be_served_is_said(words, said):
    ran = by_hand("gallery.serve", *words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("gallery.serve: ")
    assert said in ran.stderr


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_what_can_be_served_is_listed(words):
    ran = by_hand("gallery.serve", *words)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "  swallows: acknowledges and stores `line 3`, and never delivers it\n" in ran.stdout
    assert "goes-back" not in ran.stdout


def test_a_driver_that_nobody_broke_is_none():
    ran = by_hand("gallery.tells_wrongly", "swallows")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "no broken driver is called 'swallows': claims-less, goes-back" in ran.stderr


def test_there_are_many_and_each_declares_what_must_convict_it():
    assert len(GALLERY) >= 25
    for broken in GALLERY.values():
        assert broken.kinds <= KINDS
        assert broken.kinds or broken.others
        assert 1 <= len(broken.scenarios) <= 3
        assert all(path_of(name).is_file() for name in broken.scenarios)


def test_each_kind_has_a_witness():
    assert set().union(*(broken.kinds for broken in GALLERY.values())) == KINDS


def test_no_two_kinds_have_the_same_witnesses():
    """Else a judge that took the one for the other would not be noticed."""
    witnesses = {kind: frozenset(b.name for b in GALLERY.values() if kind in b.kinds) for kind in KINDS}
    assert len(set(witnesses.values())) == len(witnesses)


def test_every_scenario_of_the_gallery_convicts_somebody():
    used = {path_of(name) for broken in (*GALLERY.values(), *GATES.values()) for name in broken.scenarios}
    assert set((ROOT / "gallery" / "scenarios").glob("*.yaml")) <= used
