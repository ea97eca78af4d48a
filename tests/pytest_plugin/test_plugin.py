"""The pytest plugin, played in a project of its own: what it collects, how rows end, what is left."""

import json
import subprocess
import sys

import pytest

from tests.support import members, until

PASSES = """
scenario: Two people and a word
tags: [smoke]
clients: [alice, bob]
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
  - send: hello
    from: alice
    id: hello
  - expect: hello
    received_by: bob
inboxes: {bob: [hello]}
"""
FAILS = PASSES.replace("bob: [hello]", "bob: []")
#: Nothing is acknowledged, so nothing is shown.
UNKNOWN = """
scenario: Nobody says anything
clients: [alice]
rooms: {lobby: [alice]}
steps:
  - connect: alice
"""
INVALID = PASSES.replace("from: alice", "form: alice")


@pytest.fixture
def project(pytester, monkeypatch):
    """A project with these files; runs pytest in it, in a process of its own."""
    for name in ("CI", "GITHUB_ACTIONS", "FORCE_COLOR", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)

    def make(files, *arguments):
        for name, text in files.items():
            path = pytester.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        result = pytester.runpytest_subprocess(*arguments)
        assert "Traceback" not in result.stdout.str()
        assert "Traceback" not in result.stderr.str()
        return result

    return make


def report(pytester):
    return json.loads((pytester.path / "reports" / "latest" / "report.json").read_text())


def keepers(pytester):
    """Run ids of the keepers that played."""
    histories = pytester.path.glob("reports/2*/*/history.jsonl")
    return {json.loads(path.read_text().split("\n")[0])["run"] for path in histories}


def test_files_below_scenarios_are_collected_and_no_others(project):
    files = {
        "scenarios/one.yaml": PASSES,
        "scenarios/more/two.yml": PASSES,
        "scenarios/.hidden/three.yaml": PASSES,
        "scenarios/README.md": "",
        "deploy/values.yaml": "replicas: 2",
        "examples/four.yaml": PASSES,
    }
    result = project(files, "--collect-only", "-q")
    assert result.ret == 0
    lines = [line for line in result.outlines if "::" in line]
    assert sorted(lines) == ["scenarios/more/two.yml::two", "scenarios/one.yaml::one"]
    assert not (result.outlines and any("report" in line for line in result.outlines))


def test_a_file_named_on_the_command_line_is_collected_wherever_it_lies(project):
    result = project({"examples/four.yaml": PASSES}, "examples/four.yaml", "--collect-only", "-q")
    assert "examples/four.yaml::four" in result.outlines


def test_the_ini_option_names_other_places(project):
    files = {
        "plays/one.yaml": PASSES,
        "scenarios/two.yaml": PASSES,
        "pytest.ini": "[pytest]\nchatsim_paths = plays\n",
    }
    result = project(files, "--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == ["plays/one.yaml::one"]


def test_a_folder_elsewhere_is_passed_over_and_what_to_type_is_said(project):
    result = project({"my/one.yaml": PASSES, "my/notes.txt": ""}, "my", "-n", "2")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(
        [
            "chatsim: my holds 1 scenario file, which pytest passes over: * `chatsim_paths` (scenarios), *",
            "Type  pytest my -o chatsim_paths=my  or write *",
        ]
    )
    again = project({}, "my", "-o", "chatsim_paths=my", "-n", "2")
    again.assert_outcomes(passed=1)


def test_an_empty_folder_is_no_business_of_ours(project):
    result = project({"my/values.yaml": "replicas: 2"}, "my")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.no_fnmatch_line("*chatsim:*")


def test_a_tag_selects(project):
    files = {"scenarios/one.yaml": PASSES, "scenarios/two.yaml": PASSES.replace("smoke", "slow")}
    result = project(files, "--collect-only", "-q", "-k", "smoke")
    assert [line for line in result.outlines if "::" in line] == ["scenarios/one.yaml::one"]


def test_a_row_that_passes_and_what_it_leaves(project, pytester):
    result = project({"scenarios/one.yaml": PASSES}, "-v", "--chatsim-seed", "7")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["scenarios/one.yaml::one PASSED*", "1 run: 1 passed*", "report  reports/2*"])
    assert [row["name"] for row in report(pytester)["rows"]] == ["one"]
    assert report(pytester)["rows"][0]["seed"] == 7
    assert (pytester.path / "reports" / "latest" / "junit.xml").is_file()
    assert (pytester.path / "reports" / "latest" / "one" / "logs" / "server.log").is_file()
    assert keepers(pytester)
    until(lambda: not any(members(run) for run in keepers(pytester)), "the keeper's end")


def test_a_failure_is_the_block_and_no_traceback(project):
    result = project({"scenarios/one.yaml": FAILS})
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*= FAILURES =*",
            "*_ one _*",
            "✗ inbox of bob: *",
            "  --> scenarios/one.yaml:13:*",
            "  again      chatsim run scenarios/one.yaml --speed max --seed *",
            "  re-judge   chatsim report reports/*/one",
            "*= short test summary info =*",
            "FAILED scenarios/one.yaml::one - bob got `hello`*",
        ]
    )
    result.stdout.no_fnmatch_line("*runtest*")


def test_what_could_not_be_judged_or_run_is_told_apart(project, pytester):
    unknown = project({"scenarios/one.yaml": UNKNOWN}, "-v")
    assert unknown.ret == 1
    unknown.stdout.fnmatch_lines(["*::one UNKNOWN*", "UNKNOWN scenarios/one.yaml::one - unknown: *"])
    broken = project({}, "-v", "--chatsim-server", "/no/such/server --port {port}")
    assert broken.ret == 1
    broken.stdout.fnmatch_lines(
        [
            "*::one ERROR*",
            "*= ERRORS =*",
            "*/no/such/server: No such file or directory*",
            "ERROR scenarios/one.yaml::one - could not run: *",
        ]
    )
    assert report(pytester)["rows"][0]["status"] == "error"


def test_an_invalid_file_is_a_collection_error_with_all_its_faults(project, pytester):
    result = project({"scenarios/bad.yaml": INVALID, "scenarios/good.yaml": PASSES})
    assert result.ret == 2
    result.stdout.fnmatch_lines(
        [
            "*ERROR collecting scenarios/bad.yaml*",
            "error?unknown-key?: `send` takes no `form`",
            "*did you mean `from`?*",
            "ERROR scenarios/bad.yaml - scenarios/bad.yaml: 1 problem, nothing was started",
        ]
    )
    assert not (pytester.path / "reports").exists()


def test_each_row_of_a_matrix_is_a_test(project, pytester):
    rows = PASSES.replace("clients:", "matrix: {how: [stream, poll]}\nreceive: ${how}\nclients:")
    result = project({"scenarios/rows.yaml": rows}, "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*rows.yaml::rows?stream? PASSED*", "*rows.yaml::rows?poll? PASSED*"])
    assert {row["name"] for row in report(pytester)["rows"]} == {"rows[stream]", "rows[poll]"}


@pytest.mark.parametrize("option", ["server", "driver"])
def test_an_empty_command_is_not_taken_for_our_own(project, option):
    result = project({"scenarios/one.yaml": PASSES}, f"--chatsim-{option}=")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--chatsim-{option}: '' is no command*"])


def test_a_wrong_speed_is_said_before_anything_is_collected(project):
    result = project({"scenarios/one.yaml": PASSES}, "--chatsim-speed", "quick")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--chatsim-speed: 'quick' is no speed*"])


def test_workers_share_one_folder_and_one_index(project, pytester):
    names = [f"s{number}" for number in range(5)]
    files = {f"scenarios/{name}.yaml": PASSES for name in names}
    files |= {f"scenarios/twin/{name}.yaml": PASSES for name in names}
    result = project({**files, "scenarios/wrong.yaml": FAILS}, "-n", "2")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "✗ inbox of bob: *",
            "11 runs: 10 passed, 1 failed*",
            "FAILED scenarios/wrong.yaml::wrong - bob got*",
        ]
    )
    (folder,) = pytester.path.glob("reports/2*")
    assert len(list(folder.glob("*/history.jsonl"))) == 11
    content = report(pytester)
    assert len(content["rows"]) == 11
    assert len({row["directory"] for row in content["rows"]}) == 11
    assert len({row["seed"] for row in content["rows"]}) == 1
    assert content["totals"]["fail"] == 1
    assert len(keepers(pytester)) == 2


@pytest.mark.parametrize("damage", ["", "{}", '{"format": "chatsim.verdicts", "version": 1}'])
def test_a_row_whose_record_is_damaged_is_unknown_and_takes_no_other_along(project, pytester, damage):
    spoil = f"""
import pathlib
def pytest_sessionfinish(session):
    for path in pathlib.Path("reports").glob("2*/one/verdicts.json"):
        path.write_text({damage!r})
"""
    files = {"conftest.py": spoil, "scenarios/one.yaml": PASSES, "scenarios/two.yaml": PASSES}
    result = project(files)
    result.stdout.fnmatch_lines(["*1 unknown*"])
    rows = report(pytester)["rows"]
    assert [(row["name"], row["status"]) for row in rows] == [("one", "unknown"), ("two", "pass")]
    assert "verdicts.json" in rows[0]["reason"]


def test_a_row_without_a_plan_is_said_and_takes_no_other_along(project, pytester):
    spoil = """
import pathlib
def pytest_sessionfinish(session):
    for path in pathlib.Path("reports").glob("2*/one/plan.json"):
        path.write_text("{")
"""
    files = {"conftest.py": spoil, "scenarios/one.yaml": PASSES, "scenarios/two.yaml": PASSES}
    result = project(files)
    result.stdout.fnmatch_lines(["*one/plan.json: not JSON*"])
    assert [row["name"] for row in report(pytester)["rows"]] == ["two"]


def test_a_report_that_cannot_be_written_is_a_sentence_and_no_pass(project):
    hinder = """
import pathlib
def pytest_sessionfinish(session):
    for path in pathlib.Path("reports").glob("2*"):
        (path / "junit.xml" / "in the way").mkdir(parents=True)
"""
    result = project({"conftest.py": hinder, "scenarios/one.yaml": PASSES})
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stderr.fnmatch_lines(["*the report could not be written: *junit.xml*: Is a directory*"])


def test_a_github_action_gets_annotations_and_a_summary(project, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    result = project({"scenarios/one.yaml": FAILS, "conftest.py": ""}, "-q")
    result.stdout.fnmatch_lines(["::error file=scenarios/one.yaml,line=13::bob got*"])
    assert (tmp_path / "summary.md").read_text().startswith("### ❌ chatsim: 1 run: 1 failed")


def test_other_people_s_tests_pay_nearly_nothing_for_it():
    heavy = ("asyncio", "yaml", "click", "rich", "grpc", "pydantic", "harness.source", "harness.judge")
    script = f"import sys, harness.pytest_plugin as p; print([m for m in {heavy!r} if m in sys.modules])"
    # Pytest itself may have imported some of these: only what the plugin adds counts.
    before = "import sys, pytest; print([m for m in sys.modules if m in " + repr(heavy) + "])"
    added, had = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for code in (script, before)
    )
    assert added == had


def test_limits_decide_when_they_are_asked_to(project):
    # What is read by hand takes as long as the reading: some time, however little.
    limited = PASSES.replace("clients: [alice, bob]", "clients: {alice: {}, bob: {receive: manual}}")
    limited = limited.replace("  - expect", "  - poll: bob\n  - expect") + "limits: {delivery_p99: 1us}\n"
    files = {"scenarios/limited.yaml": limited}
    project(files).assert_outcomes(passed=1)
    project(files, "--chatsim-limits", "enforce").assert_outcomes(failed=1)
