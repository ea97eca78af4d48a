"""`server: options`: what a scenario says is what the server reads, or is said to be wrong."""

import json
from pathlib import Path

import pytest

from chatsys.config import read
from chatsys.server.settings import Settings
from harness.drivers import chatsys_options
from harness.model.plan import Plan
from harness.run import needs
from harness.run.needs import SkippedError
from harness.source import compile_plan

TEXT = """
scenario: Options
clients: [alice, bob]
rooms: {{lobby: [alice, bob]}}
server:
  options: {options}
steps:
  - connect: [alice, bob]
"""


def compiled(options):
    plan, found = compile_plan(TEXT.format(options=options), "x.yaml", "x")
    assert plan is not None, found
    return plan


def test_they_are_in_the_plan_as_the_server_reads_them():
    plan = compiled("{send_rate: 30/m, send_burst: 3, drain: 500ms, max_content_bytes: 2KiB, tracing: true}")
    assert plan.options == {
        "send_rate": "0.5",
        "send_burst": "3",
        "drain": "500ms",
        "max_content_bytes": "2KiB",
        "tracing": "true",
    }
    flags = [f"--{name.replace('_', '-')}={text}" for name, text in plan.options.items()]
    settings = read(Settings, flags, {}).settings
    assert (settings.limits.send_rate, settings.limits.send_burst, settings.drain) == (0.5, 3, 0.5)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))).options == plan.options


def test_a_row_may_fill_them_in():
    text = TEXT.format(options='{send_burst: "${burst}"}') + "matrix: {burst: [3, 4]}\n"
    plan, _ = compile_plan(text, "x.yaml", "x")
    assert plan is not None
    assert plan.options == {"send_burst": "3"}


def test_every_setting_is_chatsims_own_or_may_be_given():
    assert chatsys_options.OWN.issubset(chatsys_options._rows())
    assert not chatsys_options.OWN & chatsys_options.options().keys()
    assert all(option.help for option in chatsys_options.options().values())


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (None, None),
        ("./mine --port {port} --settings {options}", None),
        ("./mine --port {port}", r"has no \{options\} to tell it by: `send_burst` \(line 6\)"),
        ("127.0.0.1:5000", r"a running server is not ours to set up: `send_burst` \(line 6\)"),
    ],
)
def test_a_server_that_cannot_be_told_is_not_played_against(server, why):
    plan = compiled("{send_burst: 3}")
    if why is None:
        needs.check_options(plan, server)
        return
    with pytest.raises(SkippedError, match=why):
        needs.check_options(plan, server)


def test_a_file_without_them_does_not_wait_for_chatsys_to_be_read():
    source = (Path(__file__).parents[2] / "harness/source/server.py").read_text()
    assert "\nfrom chatsys" not in source
    assert "\nfrom harness.drivers" not in source
