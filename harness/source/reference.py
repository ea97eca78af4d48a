"""The manual of the language, docs/scenarios.md: made from the tables that the reader reads by."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.model.verdict import FAMILIES
from harness.source.cast import RESERVED
from harness.source.cast_keys import ClientKeys, RoomKeys
from harness.source.codes import CODES
from harness.source.compile import LATER_KEYS, ScenarioKeys
from harness.source.examples import EXAMPLES
from harness.source.limits import LimitsKeys
from harness.source.nemesis import NemesisKeys
from harness.source.server import ServerKeys, options_rows
from harness.source.traffic import TRAFFIC
from harness.source.workload import WorkloadKeys
from harness.verbs import FAULT_VERBS, LATER_VERBS, VERBS
from harness.verbs.keys import Keys, StepKeys, schema, table
from harness.verbs.kinds import STATUSES
from harness.verbs.phrases import duration
from harness.verbs.verb import Verb

#: Where the repository keeps it.
PATH = "docs/scenarios.md"
_WIDTH = 118

_INTRODUCTION = """\
# Writing scenarios

Made from the code by `chatsim schema --reference`: every key, verb and word of the format, version 1.
The quickest way in is [a scenario in five minutes](../CONTRIBUTING.md#a-scenario-in-five-minutes); for a
complete example see [basic.yaml](../scenarios/basic.yaml), for all of them [the index](../scenarios/README.md).

A scenario is a YAML file with a cast, rooms, one script and, at the end, what everybody must have received. The order
of the file is the order of the world: a step begins when the one before it is done. `chatsim check FILE` finds every
mistake in one go, and `chatsim explain FILE` tells the file as a little play.

The first line tells an editor with a YAML language server where the schema is, so that it completes and checks:

```yaml
# yaml-language-server: $schema=../schema/scenario.v1.json
```
"""

_NAMES = """\
## Names, ids and series

* Wherever a name goes, a list goes too: `bob`, or `[bob, chad]`. `user-1..30` stands for thirty names.
* A client's name has letters, digits, `_` and `-`, 64 at most; it is not one of {reserved}. A room's name has
  lower-case letters, digits and `-`, 40 at most.
* `id` names a message. With `repeat: 3` and `id: line` there are `line.1`, `line.2` and `line.3`, and `line.*` is all
  of them; with several senders `tick.bob`, or `tick.bob.1`.
* `${{n}}` in the text of a series is the number of the message.
"""

_VARIABLES = """\
## Rows and variables

* With `matrix: {{how: [poll, stream]}}` the whole file is played once for each value, and `${{how}}` stands for it in
  any value. Several variables make a row of each combination; a row is called `kick[poll]`.
* `${{env.NAME}}` is a variable of the environment, `${{env.NAME:-text}}` the text where there is none of this name.
"""

_TIME = """\
## Time

A duration is a number and its unit, one of {units}: `500ms`, `2s`, `1.5m`. A number alone is refused.

* `after` pauses before a step, `at` waits for a moment on the clock of the scenario, `wait` is a step of its own.
* `within` is a deadline, always in real time; of a series it is that of each message. Unless given it is {deadlines}.
* Everything but `within` and `listen` is scenario time: `--speed 10x` (or `--speed 10`) scales it, and
  `--speed max` leaves out the waiting in which nothing can happen. The order of things is the same at every speed.
"""

_INBOXES = """\
## Inboxes

`inboxes` says what each client must have received by the end: its certain messages exactly, in this order,
each counted once. `[]` says that it received nothing. A client that is not listed may have received anything.

| entry | meaning |
|---|---|
| `hello` | this message |
| `line.*` | all of the series, in order |
| `{interleaved: [a.*, b.*]}` | both series, each in its order, merged in any way |
| `everyone_else: []` | what all clients that are not named have received |

Somebody who is in several rooms has a list for each: `alice: {lobby: [hello], garden: []}`, since rooms have no
common order. A message whose send ended unknown may stand anywhere, or be missing.
"""

_SERVER = """\
## Server

What the server is told that chatsim starts for this scenario. A server of your own decides itself whether it looks at
tokens: `auth: tokens` needs the capability `auth`.

```yaml
server:
  auth: tokens                        # admins are admins, and nobody else is
  options: {send_rate: 30/m, send_burst: 3}
```
"""

_OPTIONS = """\
The options are settings of chatsys, and mean what `chatsys config` says; what is not given has its default. A server
of your own takes them when its command has the word `{options}`: it stands for them as one JSON object, names to
texts (see [the driver protocol](driver-protocol.md#the-server)). Without the word, or where a running server is used,
a scenario that gives options is skipped.
"""

_WORKLOAD = """\
## Workload

Random traffic beside the script, or instead of one. Its clients are connected first, then both begin: each act starts
at its moment, whether those before it were answered or not, and may end in any way. What it sends counts in no
`inboxes`: rooms in which it goes on cannot be listed there. A verb of `mix` is drawn by its weight, and for it
somebody who can do it: `poll` those with `receive: manual`, `kick` and `add` an admin.
"""

_MIX = """\
What `mix` may hold: {verbs}.

```yaml
seed: 20261122                      # without it a new one each run, printed first and last
workload:
  for: 8s
  rate: 50/s
  mix: {{send: 70, poll: 20, disconnect: 5, connect: 5}}
nemesis:
  every: 2s                         # 1 s to 3 s, as the seed will have it
  faults:
    - kill: server
      for: 500ms
    - pause: {{any: 5}}
      for: 1s
```
"""

_NEMESIS = """\
## Nemesis

Random faults while the workload goes on: {faults}, with the keys that they have as steps, but without `at`, `after`
and `id`. Each of the list comes once before any comes again. Each must end by itself, after its `for`; what is not
over when the workload is, the final phase heals.
"""

_SEED = """\
The seed fixes the plan: who does what, to whom, and at which moment; `plan.json` has it, and `explain --seed` tells
it. The seed does not fix what comes of it: how the acts and the messages of several processes interleave, how a
request ends that a fault cuts off, how long a process takes to come back. A run with the same seed asks the same of
the server, and may be answered otherwise.
Workload and nemesis run in real time, whatever `--speed` says, and so does a script beside them.
"""

_LIMITS = """\
## Limits

How long deliveries may take. A delivery takes from the latest of these to its being handed over: its send was
answered, its receiver was ready, the last fault that touched its receiver or the server was over; what comes before
that took no time. Not counted are deliveries during such a fault, and to clients that are slow on purpose.

```yaml
limits: {delivery_p50: 5ms, delivery_p99: 50ms}
```

The figures are always reported, beside their limits. They decide only with `chatsim run --limits enforce`: a machine
that is busy with other things is no fault of the server's.
"""

_INVARIANTS = """\
## Invariants

They hold in every run and need no line: {families}. `invariants: {{no-loss: required}}` makes a run unknown in which
this one had nothing to judge; `invariants: all` is the default, said aloud.
"""


_NOT_YET = """\
## Not yet

Words of the format that this version knows and cannot play. `chatsim check` says so of each, and nothing is started.
"""


def reference() -> str:
    """Return the page."""
    return "\n".join(_fold(section) for section in _sections())


def _fold(text: str) -> str:
    """Return a section with its paragraphs and list items folded anew: what was filled in changed their lines."""
    if text.startswith(("|", "```")):
        return text
    blocks = re.split(r"\n\n|\n(?=\* )", text.rstrip("\n"))
    joins = [*re.findall(r"\n\n|\n(?=\* )", text.rstrip("\n")), "\n"]
    return "".join(_folded(block) + join for block, join in zip(blocks, joins, strict=True))


def _folded(block: str) -> str:
    if block.startswith(("#", "|", "```")):
        return block
    indent = "  " if block.startswith("* ") else ""
    return textwrap.fill(
        " ".join(block.split()),
        width=_WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _sections() -> Iterator[str]:
    yield _INTRODUCTION
    yield "## Top-level keys\n"
    yield _table(ScenarioKeys)
    yield "## Clients\n"
    yield (
        "A list of names, or a map whose values are keys, nothing (`alice: {}`), or a count: `user: 50` is\n"
        "user-1 to user-50.\n"
    )
    yield _table(ClientKeys)
    yield "## Rooms\n"
    yield (
        "A map of names. The value is the list of members, or a map with these keys. Rooms exist with their members\n"
        "before the first step, whether these are online or not. Rooms list users; a client is one device of its\n"
        "user.\n"
    )
    yield _table(RoomKeys)
    yield _SERVER
    yield _table(ServerKeys)
    yield _OPTIONS
    yield _rows(("option", "value", "meaning"), options_rows())
    yield "## Steps\n"
    yield "Each step is one verb with its modifiers beside it. Any step takes these:\n"
    yield _table(StepKeys)
    for verb in VERBS.values():
        yield from _verb(verb)
    yield _NAMES.format(reserved=", ".join(f"`{name}`" for name in RESERVED))
    yield _VARIABLES.format()
    yield _TIME.format(
        units="`us`, `ms`, `s`, `m` (minutes), `h`",
        deadlines=_sentence(f"{duration(verb.within_ns)} for `{verb.name}`" for verb in _timed()),
    )
    yield _INBOXES
    yield _WORKLOAD.format()
    yield _table(WorkloadKeys)
    yield _MIX.format(verbs=_sentence(f"`{verb}`" for verb in TRAFFIC))
    yield _NEMESIS.format(faults=_sentence(f"`{verb}`" for verb in FAULT_VERBS))
    yield _table(NemesisKeys)
    yield _SEED
    yield _LIMITS
    yield _table(LimitsKeys)
    yield _INVARIANTS.format(families=_sentence(f"`{name}`" for name in FAMILIES))
    if later := {**LATER_KEYS, **LATER_VERBS}:
        yield _NOT_YET
        yield _rows(("word", "what it is"), ((_later(word), meaning) for word, meaning in later.items()))
    yield "## Refusals\n"
    yield f"`refused` takes the name of a gRPC status: {_sentence((f'`{name}`' for name in STATUSES), 'or')}.\n"
    yield "## Diagnostics\n"
    yield "What may be wrong with a file; each is shown with its place and a remedy, and nothing is started.\n"
    yield _rows(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in CODES.items()))


def _later(word: str) -> str:
    return f"`{word}` ({'key' if word in LATER_KEYS else 'verb'}; not yet played)"


def _timed() -> Iterable[Verb[Any]]:
    """Verbs whose deadline means something: waiting has none, and lanes have that of their steps."""
    return (verb for verb in VERBS.values() if verb.name not in ("wait", "parallel"))


def _verb(verb: Verb[Any]) -> Iterator[str]:
    yield f"### {verb.name}\n"
    yield f"{verb.summary}\n"
    if verb.name in EXAMPLES:
        yield f"```yaml\n{EXAMPLES[verb.name]}```\n"
    yield _table(verb.keys, without=table(StepKeys).keys())


def _table(cls: type[Keys], without: Iterable[str] = ()) -> str:
    made = schema(cls)
    obligatory = set(made.get("required", ()))
    left_out = set(without)
    rows = []
    for name, part in made["properties"].items():
        if name in left_out:
            continue
        description = part["description"]
        if name in obligatory:
            description = f"**Obligatory.** {description}"
        if "default" in part:
            description = f"{description} Default: `{json.dumps(part['default']).strip(chr(34))}`."
        rows.append((f"`{name}`", _value(part), description))
    return _rows(("key", "value", "meaning"), rows)


def _value(part: Mapping[str, Any]) -> str:
    """Say in a few words what a schema lets through."""
    if "enum" in part:
        return "a gRPC status" if list(part["enum"]) == list(STATUSES) else _either(part["enum"])
    if "const" in part:
        return f"`{part['const']}`"
    if "anyOf" in part:
        kinds = [_value(option) for option in part["anyOf"]]
        return "one, or a list" if kinds == ["text", "a list"] else " or ".join(kinds)
    if isinstance(part.get("type"), list):
        return " or ".join(_TYPES.get(kind, kind) for kind in part["type"])
    if part.get("type") == "string" and "pattern" in part:
        if re.match(part["pattern"], "20/s"):
            return "pace"
        return (
            "duration" if re.match(part["pattern"], "2s") and not re.match(part["pattern"], "x") else "name"
        )
    if part.get("type") == "integer":
        return (
            f"{part.get('minimum', 0):,} to {part['maximum']:,}"
            if part.get("maximum", 1e9) < 1e9
            else "number"
        )
    return _TYPES.get(part.get("type", ""), "see below")


_TYPES = {
    "string": "text",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a map",
    "number": "number",
    "integer": "number",
    "null": "nothing",
}


def _either(words: Iterable[str]) -> str:
    return _sentence((f"`{word}`" for word in words), "or")


def _sentence(parts: Iterable[str], last: str = "and") -> str:
    *first, end = parts
    return f"{', '.join(first)} {last} {end}" if first else end


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
