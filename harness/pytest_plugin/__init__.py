"""A pytest plugin: scenario files are test files, and each of their rows is one test.

    pytest scenarios -n auto

Collected is what lies under the ini option `chatsim_paths` (default `scenarios`), and a scenario file that is named
on the command line; never every YAML file of a repository.

Every pytest process of this environment imports this module, most of them for other tests: so it knows options and
files, and whatever plays, judges or reports is imported with the first scenario.

With pytest-xdist, each worker has a keeper of its own; the process that drives them all gives out one folder, one run
id and one seed, and makes one index over all rows at the end.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin.company import Company
    from harness.pytest_plugin.items import ScenarioFile

_SUFFIXES = (".yaml", ".yml")

#: What the process of this session plays with; made with the first scenario.
COMPANY: pytest.StashKey[Company] = pytest.StashKey()
#: The folder, run id and seed that all processes of this invocation share.
SHARED: pytest.StashKey[dict[str, Any]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options, each of which says what the one of `chatsim run` says."""
    parser.addini("chatsim_paths", "Folders and files with scenarios.", type="args", default=["scenarios"])
    group = parser.getgroup("chatsim", "chat scenarios")
    group.addoption(
        "--chatsim-speed",
        default="max",
        metavar="FACTOR|max",
        help="Scripted time: a factor such as 10x, or max (the default) to leave out waiting for nothing.",
    )
    group.addoption(
        "--chatsim-server", metavar="CMD", help="Server command; {port} {host} {data} are filled in."
    )
    group.addoption("--chatsim-driver", metavar="CMD", help="Driver command, one process for each client.")
    group.addoption(
        "--chatsim-reports",
        default="reports",
        metavar="DIR",
        help="Where the session leaves its folder (default: reports).",
    )
    group.addoption(
        "--chatsim-seed", type=int, metavar="N", help="Seed; else the file's, or a new one for each session."
    )
    group.addoption(
        "--chatsim-limits",
        choices=["report", "enforce"],
        default="report",
        help="Whether a scenario fails when one of its `limits` is exceeded (default: report).",
    )
    group.addoption(
        "--chatsim-no-skip", action="store_true", help="A scenario that the server cannot play is a failure."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the options, and settle what all processes of this invocation share."""
    from harness.run.command import checked  # noqa: PLC0415 - see the module's docstring
    from harness.run.settings import parse_speed  # noqa: PLC0415 - the same

    checks = {"--chatsim-speed": parse_speed, "--chatsim-server": checked, "--chatsim-driver": checked}
    for option, check in checks.items():
        try:
            check(config.getoption(option))
        except ValueError as fault:
            raise pytest.UsageError(f"{option}: {fault}") from fault
    given = getattr(config, "workerinput", {}).get("chatsim")
    config.stash[SHARED] = given if given is not None else _draw(config)


def _draw(config: pytest.Config) -> dict[str, Any]:
    import os  # noqa: PLC0415 - see the module's docstring
    from datetime import UTC, datetime  # noqa: PLC0415 - the same

    run = os.urandom(6).hex()
    now = datetime.now(UTC)
    reports = Path(config.invocation_params.dir, config.getoption("--chatsim-reports"))
    return {
        "run": run,
        "folder": str(reports / f"{now.strftime('%Y%m%dT%H%M%SZ')}-{run}"),
        "seed": int.from_bytes(os.urandom(4), "big") >> 1,
        "command": ["pytest", *map(str, config.invocation_params.args)],
        "started_at": now.isoformat(timespec="milliseconds"),
    }


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker of pytest-xdist what all processes share."""
    node.workerinput["chatsim"] = node.config.stash[SHARED]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """Collect a scenario file."""
    if file_path.suffix not in _SUFFIXES:
        return None
    if not (parent.session.isinitpath(file_path) or _is_ours(file_path, parent.config)):
        return None
    from harness.pytest_plugin.items import ScenarioFile  # noqa: PLC0415 - see the module's docstring

    file: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return file


def _is_ours(path: Path, config: pytest.Config) -> bool:
    for name in config.getini("chatsim_paths"):
        place = (config.rootpath / name).resolve()
        found = path.resolve()
        if found == place:
            return True
        if place in found.parents:
            return not any(part.startswith(".") for part in found.relative_to(place).parts)
    return False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the report of a scenario know how its run ended, over the wire to the controlling process too."""
    report = yield
    status = getattr(item, "chatsim_status", None)
    if status is not None and report.when == "call":
        report.chatsim_status = str(status)  # type: ignore[attr-defined]  # a report takes what it is given
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> Any:
    """Tell three ways not to pass apart: failed, could not be judged, could not be run."""
    match getattr(report, "chatsim_status", None):
        case "unknown" if report.failed:
            return "failed", "?", ("UNKNOWN", {"yellow": True})
        case "error" | "interrupted" if report.failed:
            return "error", "E", ("ERROR", {"red": True})
        case _:
            return None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the keeper of this process home."""
    if (company := session.config.stash.get(COMPANY, None)) is not None:
        company.close()


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Make one index over the rows of all processes, and say where it is; or why there are none."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        from harness.pytest_plugin.overlooked import overlooked  # noqa: PLC0415 - see the module's docstring

        if why := overlooked(config):
            terminalreporter.write_line(why)
    shared = config.stash[SHARED]
    if Path(shared["folder"]).is_dir():
        from harness.pytest_plugin.index import conclude  # noqa: PLC0415 - see the module's docstring

        conclude(shared, terminalreporter)
