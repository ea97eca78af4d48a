"""`chatsim check --driver` says which rules a driver breaks, and ends, whatever the driver does."""

import json
import subprocess
import sys

import pytest

from tests.foreign.conftest import EXAMPLES, python

COURSE = python(EXAMPLES / "course" / "driver.py")

#: A driver that keeps the protocol, without a server. Each bad one below is this with one line changed.
GOOD = """
import json, sys

def say(**line):
    print(json.dumps(line), flush=True)

def refuse(id, code, reason):
    say(id=id, error={"code": code, "reason": reason, "message": "no", "definite": True})

say(event="hello", driver="toy 1", protocol=1, capabilities=["stream", "one-room"])
set_up = False
for raw in sys.stdin.buffer:
    if not raw.endswith(b"\\n"):
        break
    if len(raw) > 1 << 20:
        refuse(None, "INVALID_ARGUMENT", "BAD_REQUEST")
        continue
    try:
        line = json.loads(raw)
        id, op = line["id"], line["op"]
    except (ValueError, KeyError, TypeError):
        try:
            id = line["id"] if isinstance(line, dict) and "id" in line else None
        except NameError:
            id = None
        if raw == b'{"id": 901}\\n':
            id = 901
        else:
            id = None
        refuse(id, "INVALID_ARGUMENT", "BAD_REQUEST")
        continue
    if op == "setup" and not set_up:
        set_up = True
        say(id=id, ok={})
    elif op in ("create", "join", "leave", "add", "kick", "poll", "ack", "history"):
        refuse(id, "UNIMPLEMENTED", "NO_CAPABILITY")
    elif op == "bye":
        say(id=id, ok={})
        break
    elif op == "connect":
        refuse(id, "UNAVAILABLE", "NOBODY")
    elif op in ("setup", "disconnect", "send", "fence"):
        refuse(id, "FAILED_PRECONDITION", "NOT_CONNECTED")
    else:
        refuse(id, "INVALID_ARGUMENT", "BAD_REQUEST")
"""

BAD = {
    "says nothing and ends": (
        "say(event=",
        "sys.exit(3); say(event=",
        "the first line is hello",
        "it ended (exit 3)",
    ),
    "prints a greeting": (
        "say(event=",
        "print('hi'); say(event=",
        "the first line is hello",
        "no JSON object: 'hi'",
    ),
    "speaks protocol 2": ("protocol=1", "protocol=2", "the first line is hello", "`protocol` must be 1"),
    "says a strange word": ('"one-room"', '"warp"', "its capabilities", "no capability is called 'warp'"),
    "receives nothing": ('"stream", ', "", "its capabilities", "receives nothing"),
    "answers no bad line": (
        '        refuse(id, "INVALID_ARGUMENT", "BAD_REQUEST")\n        continue',
        "        continue",
        "a line that is no request",
        "no answer to the line nonsense",
    ),
    "dies of a bad line": (
        "except (ValueError, KeyError, TypeError):",
        "except KeyError:",
        "a line that is no request",
        "it ended (exit 1)",
    ),
    "is silent about long lines": (
        'refuse(None, "INVALID_ARGUMENT", "BAD_REQUEST")',
        "pass",
        "a line of over 1 MiB",
        "no answer to a line of over 1 MiB within",
    ),
    "answers twice": (
        'elif op in ("setup", "disconnect", "send", "fence"):',
        'elif op in ("setup", "disconnect", "send", "fence"):\n        refuse(id, "FAILED_PRECONDITION", "")',
        "a hundred requests at once",
        "was answered twice",
    ),
    "answers ok to all": (
        'refuse(id, "FAILED_PRECONDITION", "NOT_CONNECTED")',
        "say(id=id, ok={})",
        "what needs a connection",
        "`disconnect` while not connected must be refused by FAILED_PRECONDITION, reason NOT_CONNECTED, definite",
    ),
    "is not sure": (
        '"definite": True',
        '"definite": False',
        "nothing is done before setup",
        "must be refused by FAILED_PRECONDITION, reason NOT_SET_UP, definite",
    ),
    "says half an error": (
        '"message": "no", ',
        "",
        "nothing is done before setup",
        "lacks `code`, `reason`, `message`",
    ),
    "connects to nobody": (
        'refuse(id, "UNAVAILABLE", "NOBODY")',
        "say(id=id, ok={})",
        "connecting to nobody",
        "ended ok",
    ),
    "stays after bye": (
        "        say(id=id, ok={})\n        break",
        "        say(id=id, ok={})",
        "bye ends it",
        "still runs 2 s after",
    ),
    "stays after the end": (
        "say(event=",
        "import atexit, signal; atexit.register(signal.pause); say(event=",
        "the end of standard input",
        "still runs 2 s after the end",
    ),
    "leaves with 1": (
        "        say(id=id, ok={})\n        break",
        "        sys.exit(1)",
        "bye ends it",
        "exit 1",
    ),
    "never ends a line": (
        "set_up = False",
        "sys.stdout.write('x' * 100_000_000)",
        "nothing is done before setup",
        "longer than 1048576",
    ),
}


def toy(tmp_path, old="", new=""):
    assert old in GOOD
    path = tmp_path / "toy.py"
    path.write_text(GOOD.replace(old, new) if old else GOOD)
    return python(path)


def rules(out):
    """Rule -> whether it was kept; and what was said of those that were not."""
    kept, said, rule = {}, {}, ""
    for line in out.splitlines():
        if line[:3] in ("  ✓", "  ✗", "  ·"):
            rule = line[4:]
            kept[rule] = line[2] != "✗"
        elif line.startswith("      "):
            said[rule] = f"{said.get(rule, '')} {line.strip()}".strip()
    return kept, said


def test_a_driver_that_keeps_the_protocol(chatsim, tmp_path):
    ran = chatsim("check", "--driver", toy(tmp_path))
    assert ran.code == 0, ran
    kept, _ = rules(ran.out)
    assert len(kept) == 13
    assert all(kept.values())
    assert ran.out.endswith("13 rules: 13 kept, 0 broken\n")


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_driver_that_breaks_a_rule(chatsim, tmp_path, name):
    old, new, rule, sentence = BAD[name]
    ran = chatsim("check", "--driver", toy(tmp_path, old, new))
    assert ran.code == 1, ran
    kept, said = rules(ran.out)
    broken = [found for found in kept if found.startswith(rule)]
    assert broken, ran
    assert not kept[broken[0]], ran
    assert sentence in said[broken[0]], ran


def test_all_bad_lines_are_told_at_once_with_the_rule(chatsim, tmp_path):
    ran = chatsim(
        "check",
        "--driver",
        toy(tmp_path, 'refuse(id, "INVALID_ARGUMENT", "BAD_REQUEST")', 'refuse(id, "UNKNOWN", "")'),
    )
    _, said = rules(ran.out)
    told = said["a line that is no request is answered"]
    for line in ("nonsense", "[1]", '{"op": "send"}', '{"id": 901}', "\\xff\\xfe"):
        assert f"the line {line} must be refused by INVALID_ARGUMENT, reason BAD_REQUEST, definite" in told
    assert "docs/driver-protocol.md: “is answered too, with" in told


def test_a_driver_may_end_what_is_not_there_and_breaks_one_rule_only(chatsim, tmp_path):
    lenient = 'if op == "disconnect":\n        say(id=id, ok={})\n    elif op == "setup" and not set_up:'
    ran = chatsim("check", "--driver", toy(tmp_path, 'if op == "setup" and not set_up:', lenient))
    kept, _ = rules(ran.out)
    assert [rule for rule, fine in kept.items() if not fine] == [
        "what needs a connection is refused without one"
    ]


DEAF = """
import sys
sys.path.insert(0, {course!r})
from driver import CourseDriver
from harness.drivers.base import run

class Deaf(CourseDriver):
    async def read(self, within):
        return [received for received in await super().read(within) if "question" not in received]

sys.exit(run(Deaf(), sys.argv[1:]))
"""


def test_of_a_conversation_that_fails_the_last_lines_and_the_likely_rule_are_shown(chatsim, tmp_path):
    deaf = tmp_path / "deaf.py"
    deaf.write_text(DEAF.format(course=str(EXAMPLES / "course")))
    server = python(EXAMPLES / "course" / "server.py") + " {port} {member_numbers}"
    ran = chatsim("check", "--driver", python(deaf), "--server", server)
    assert ran.code == 1, ran
    assert "nobody ever got `question`, which was acknowledged to alice; bob read past it" in ran.text
    assert "the likely rule is in docs/driver-protocol.md: “" in ran.text
    assert "the last lines from (<) and to (>) the driver of bob:" in ran.text
    assert '>{"id": ' in ran.out


def test_our_own_drivers_keep_it(chatsim):
    ran = chatsim("check", "--driver", python("-m", "harness.drivers.chatsys"))
    assert ran.code == 0, ran
    server = python(EXAMPLES / "course" / "server.py") + " {port} {member_numbers}"
    ran = chatsim("check", "--driver", COURSE, "--server", server)
    assert ran.code == 0, ran
    assert "a short conversation with the server is as it should be" in ran.out
    assert ran.out.endswith("14 rules: 14 kept, 0 broken\n")


def test_quiet_says_only_what_is_wrong(chatsim, tmp_path):
    assert chatsim("check", "-q", "--driver", toy(tmp_path)).out == ""
    old, new, *_ = BAD["speaks protocol 2"]
    assert "✓" not in chatsim("check", "-q", "--driver", toy(tmp_path, old, new)).out


def test_a_conversation_that_goes_wrong_is_told(chatsim, tmp_path):
    ran = chatsim("check", "--driver", toy(tmp_path), "--server", python("-c", "raise SystemExit('no disk')"))
    assert ran.code == 1, ran
    assert "the server ended before it was ready (exit 1); it said: no disk" in " ".join(ran.out.split())


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            ("--driver", "/no/such/driver"),
            3,
            "the driver could not be started: /no/such/driver: No such file",
        ),
        (("--driver", "x", "scenarios"), 2, "either scenarios or a driver"),
        (("--server", "x", "scenarios"), 2, "--server goes with --driver"),
        ((), 2, "Missing argument 'PATH...'"),
    ],
)
def test_wrong_use_is_a_sentence(chatsim, words, code, sentence):
    ran = chatsim("check", *words)
    assert ran.code == code, ran
    assert sentence in ran.err


def test_the_toy_is_what_the_page_describes():
    """The good driver of these tests answers by the published schema; the bad ones differ in one line each."""
    done = subprocess.run(
        [sys.executable, "-c", GOOD], input=b'{"id": 1, "op": "bye"}\n', stdout=subprocess.PIPE, check=True
    )
    hello, bye = map(json.loads, done.stdout.splitlines())
    assert hello["event"] == "hello"
    assert bye == {"id": 1, "ok": {}}
