"""One file: its top-level keys, put together into a plan."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.model.cast import Receive
from harness.model.plan import Plan
from harness.model.span import Span
from harness.model.verdict import FAMILIES, INVARIANTS
from harness.source.cast import read_cast, unused
from harness.source.cast_keys import RECEIVE
from harness.source.comments import cut_short
from harness.source.diagnostic import Diagnostic, in_order
from harness.source.drawn import read_drawn
from harness.source.inboxes import Inboxes, read_inboxes
from harness.source.limits import read_limits
from harness.source.reporter import Reporter
from harness.source.rows import Row, in_rows, read_rows
from harness.source.script import numbered, read_steps
from harness.source.server import Setup, read_server, sound
from harness.source.tree import Tree, parse
from harness.source.triggers import check_triggers
from harness.verbs.keys import Keys, key, read_keys
from harness.verbs.kinds import DURATION, TEXT, TEXTS, BadValueError, Kind, describe, integer
from harness.verbs.problem import Problem, did_you_mean
from harness.verbs.scope import Scope

LATER_KEYS = {
    "services": "processes that the server needs",
    "load": "many clients in one process",
}


def _read_title(value: object) -> str:
    text = TEXT.parse(value)
    if not text.strip():
        raise BadValueError("the title is empty", "say in one line what this scenario shows")
    return " ".join(text.split())


def _read_invariants(value: object) -> tuple[str, ...]:
    if value == "all":
        return ()
    if not isinstance(value, dict):
        label = "write `all`, or `{no-loss: required}`"
        raise BadValueError(f"`all` or a map is wanted here, not {describe(value)}", label, code="wrong-type")
    for name, word in value.items():
        if name not in INVARIANTS:
            help_ = (f"invariants: {', '.join(FAMILIES)}; or one kind of violation, as `real-time-order`",)
            raise BadValueError(
                f"no invariant is called `{name[:70]}`", did_you_mean(name, INVARIANTS), help_,
                code="unknown-invariant", at=f"/{name.replace('~', '~0').replace('/', '~1')}",
            )  # fmt: skip
        if word != "required":
            raise BadValueError(
                "an invariant always holds; the only word here is `required`",
                "write `required`",
                at=f"/{name}",
            )
    return tuple(value)


def _anything(value: object) -> Any:
    return value


def _part(schema: Mapping[str, Any]) -> Kind[Any]:
    """A key whose value has a module of its own."""
    return Kind(_anything, schema)


@dataclass(frozen=True, kw_only=True)
class ScenarioKeys(Keys):
    """The top-level keys."""

    scenario: str = key(
        Kind(_read_title, {"type": "string", "minLength": 1}),
        "The title: what this scenario shows, in one line.",
    )
    description: str = key(TEXT, "More about it, as long as you like.", default="")
    tags: tuple[str, ...] = key(TEXTS, "Words by which `chatsim run '#word'` finds it.", default=())
    clients: Any = key(_part({"type": ["array", "object"]}), "Who takes part: a list of names, or a map.")
    rooms: Any = key(
        _part({"type": "object"}), "Rooms and their members; they exist before the first step.", default=None
    )
    receive: Receive = key(RECEIVE, "How clients receive unless they say otherwise.", default="stream")
    steps: Any = key(
        _part({"type": "array"}),
        "The script, in the order in which things happen. May be left out beside a `workload`.",
    )
    workload: Any = key(
        _part({"type": "object"}),
        "Random traffic of all clients, beside the script if there is one.",
        default=None,
    )
    nemesis: Any = key(
        _part({"type": "object"}), "Random faults, as long as the workload goes on.", default=None
    )
    inboxes: Any = key(
        _part({"type": "object"}), "What each client must have received by the end, in order.", default=None
    )
    listen: int = key(
        DURATION, "How long clients go on recording after the last fence; real time: `500ms`.", default=0
    )
    invariants: tuple[str, ...] = key(
        Kind(_read_invariants, {"anyOf": [{"const": "all"}, {"type": "object"}]}),
        "`all`, or a map that makes some obligatory: `{no-loss: required}`.",
        default=(),
    )
    limits: Any = key(
        _part({"type": "object"}),
        "How long deliveries may take, `{delivery_p99: 50ms}`: reported, and decided with `--limits enforce`.",
        default=None,
    )
    server: Any = key(
        _part({"type": "object"}),
        "What the server is told that chatsim starts: `{options: {send_rate: 5/s}}`.",
        default=None,
    )
    matrix: Any = key(
        _part({"type": "object", "additionalProperties": {"type": "array"}}),
        "The whole file once for each value, as in `{how: [poll, stream]}`; `${how}` stands for it.",
        default=None,
    )
    seed: int | None = key(
        integer(0, 2**63 - 1),
        "Fixes what is random. Unless given, a new one is drawn: one for all that a command plays, its "
        "repeats too.",
        default=None,
    )


def compile_plans(
    source: str,
    file: str,
    name: str,
    *,
    seed: int | None = None,
    drawn_seed: int = 0,
    environ: Mapping[str, str] | None = None,
) -> tuple[tuple[Plan, ...], tuple[Diagnostic, ...]]:
    """Make plans of the text of one file: one, or one for each row of its `matrix`.

    Args:
        source: the text.
        file: its path, for diagnostics.
        name: what its plans are called; a row adds its values in brackets.
        seed: stands above that of the file.
        drawn_seed: for a file without a seed.
        environ: what `${env.NAME}` stands for; None is an empty environment.

    Returns:
        The plans, none when there is an error; and all diagnostics, warnings too, in order.
    """
    tree, faults = parse(source, file)
    if tree is None:
        return (), in_order(faults)
    reporter = Reporter(tree, file)
    if not isinstance(tree.data, dict):
        reporter(
            Problem(
                code="wrong-type",
                pointer="",
                message=f"a scenario is a map of keys, not {describe(tree.data)}",
                label="begin with `scenario: TITLE`",
            )
        )
        return (), in_order((*faults, *reporter.found))
    rows = read_rows(tree.data, reporter)
    plans: list[Plan] = []
    found: list[tuple[Row, list[Diagnostic]]] = []
    failed = bool(faults) or reporter.errors > 0
    for row in rows:
        mine = Reporter(tree, file)
        data = row.fill(tree.data, environ or {}, mine) if "${" in source else tree.data
        mine.errors += failed
        plan = _Compiler(data, mine).plan(source, file, f"{name}{row.suffix}", seed, drawn_seed)
        found.append((row, mine.found))
        if plan is not None:
            plans.append(replace(plan, warnings=_warnings(mine.found)))
    whole = len(plans) == len(rows) and not failed
    return tuple(plans) if whole else (), in_order((*faults, *reporter.found, *in_rows(found, source)))


def _warnings(found: Iterable[Diagnostic]) -> tuple[str, ...]:
    said = ((f"line {item.line}: {item.message}", item.label) for item in in_order(found))
    return tuple(f"{what}; {label}" if label else what for what, label in said)


def compile_plan(
    source: str, file: str, name: str, *, seed: int | None = None, drawn_seed: int = 0
) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    """Make the plan of a file without `matrix`, or that of the first row; None when there is an error."""
    plans, found = compile_plans(source, file, name, seed=seed, drawn_seed=drawn_seed)
    return plans[0] if plans else None, found


class _Compiler:
    def __init__(self, data: Mapping[str, Any], reporter: Reporter) -> None:
        self.data = data
        self.report = reporter

    def plan(self, source: str, file: str, name: str, seed: int | None, drawn_seed: int) -> Plan | None:
        # A scenario that is all chance has no script.
        data = {"steps": [], **self.data} if "workload" in self.data else self.data
        keys = read_keys(ScenarioKeys, data, "", self.report, what="a scenario", later=LATER_KEYS)
        receive = self.data.get("receive", "stream")
        cast = read_cast(
            self.data, self.report, receive if receive in ("stream", "poll", "manual") else "stream"
        )
        written = numbered(self.data.get("steps"))
        scope = Scope(
            clients=cast.clients,
            rooms=dict(cast.rooms),
            place=self.report.tree.place,
            report=self.report,
            declared=written.ids,
            room_names=written.rooms,
            pointers=[*written.pointers, "/workload"],  # whose number is that of the step before all others
            cast_known=cast.clients_known,
            rooms_known=cast.rooms_known,
            ids_known=isinstance(self.data.get("steps"), list),
            ambiguous=written.twice,
            presence_known=cast.clients_known,
            members_known=cast.rooms_known,
            seed=next(number for number in (seed, keys.seed, drawn_seed) if number is not None),
        )
        for problem in cut_short(self.report.tree, source, written.pointers):
            self.report(problem)
        server = read_server(self.data["server"], self.report) if "server" in self.data else Setup()
        limits = read_limits(self.data["limits"], self.report) if "limits" in self.data else {}
        drawn = read_drawn(self.data, scope, self.report)
        steps = read_steps(self.data["steps"], scope, self.report) if "steps" in self.data else []
        check_triggers(steps, scope)
        table = (
            read_inboxes(self.data["inboxes"], scope, self.report) if "inboxes" in self.data else Inboxes()
        )
        drawn.check_inboxes(table.inboxes, self.report)
        if self.report.errors:
            return None
        for problem in unused(cast, scope.used):
            self.report(problem)
        plan = Plan(
            title=keys.scenario,
            name=name,
            file=file,
            source=source,
            description=keys.description,
            tags=keys.tags,
            clients=tuple(cast.clients.values()),
            rooms=tuple(cast.rooms.values()),
            steps=tuple(steps),
            inboxes=table.inboxes,
            listed=table.listed,
            listen_ns=keys.listen,
            auth=server.auth,
            options=server.options,
            limits=limits,
            required=keys.invariants,
            seed=scope.seed,
            workload=drawn.draw(scope.seed),
            spans=_spans(self.report.tree, scope),
        )

        return plan if sound(plan, self.report) else None


def _spans(tree: Tree, scope: Scope) -> dict[str, Span]:
    """Return the place of every pointer, as the author wrote it; lists of names and ids as the plan has them.

    `/steps/3/received_by/2` is the third name of the *plan*: one that came of a range, a series or a single
    word is placed at what was written.
    """
    spans = {pointer: span for pointer, span in tree.values.items() if pointer}
    spans.update({pointer: tree.values[where] for pointer, where in scope.spots.items()})
    return spans
