"""What all tests share: tools that a machine may lack, and patience with a busy one.

A test that needs a program from outside Python's packages says `@pytest.mark.needs("node")`. Where the
program is missing the test is skipped, and the reason names the package to install. In CI nothing may be
skipped: there the same test fails, and so does any other that skips itself.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is. All else is as usual, or as Hypothesis has it for CI.
settings.register_profile(
    "any machine", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# How the tests were started is none of what chatsim says in them.
os.environ.pop("CHATSIM_DEV", None)

#: Program -> where it comes from.
PACKAGES = {
    "cc": "Debian packages gcc and libc6-dev",
    "buildah": "Debian package buildah",
    "chromium": "Debian package chromium",
    "git": "Debian package git",
    "mosquitto": "Debian package mosquitto",
    "node": "Debian package nodejs",
    "npm": "Debian package npm",
    "podman": "Debian package podman",
    "script": "Debian package bsdutils",
    "setpriv": "Debian package util-linux",
    "strace": "Debian package strace",
    "tmux": "Debian package tmux",
    "openssl": "Debian package openssl",
}


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; what the tests play is not for the summary of a CI job."""
    os.environ.pop("GITHUB_STEP_SUMMARY", None)
    # What a script starts in the background ignores Ctrl-C, and so does all that it starts: tests send it to some.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "needs(program): a program that the test cannot do without")


def pytest_collection_finish() -> None:
    """Spare the collector the thousands of tests: they stay, and to look at them again and again takes a tenth."""
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """Let `-n auto` mean two for each core: these tests mostly wait for other processes."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is missing."""
    for marker in item.iter_markers("needs"):
        (program,) = marker.args
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} ({PACKAGES[program]})")


def _not_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI, make a skip a failure; an expected failure stays one."""
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        place = report.longrepr
        reason = place[2] if isinstance(place, tuple) else place
        report.outcome = "failed"
        report.longrepr = f"every test must run in CI. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at every test that was skipped."""
    report = yield
    _not_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at every file that was skipped as a whole."""
    report = yield
    _not_in_ci(report)
    return report
