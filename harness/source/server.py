"""`server`: what the server is told that chatsim starts for this scenario.

The names and values are those of chatsys; they are looked up when a file has the key, since few have it.
"""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.model.cast import Auth
from harness.model.plan import Plan
from harness.source.reporter import Reporter
from harness.verbs.keys import Keys, bad_value, key, read_keys
from harness.verbs.kinds import RATE, BadValueError, Filled, Kind, describe, one_of
from harness.verbs.problem import Problem, did_you_mean, escape

if TYPE_CHECKING:  # chatsys is read when it is asked for
    from harness.drivers.chatsys_options import Option

#: How chatsys calls the kinds of values of which this language has its own way of writing.
PACE = "RATE"
SWITCH = "{true,false}"


def _read_options(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadValueError(
            f"a map of settings is wanted here, not {describe(value)}",
            "write `{send_rate: 5/s}`",
            code="wrong-type",
        )
    return value


@dataclass(frozen=True, kw_only=True)
class ServerKeys(Keys):
    """The keys of `server`."""

    auth: Auth | None = key(
        one_of("none", "tokens"),
        "`tokens`: everybody shows a token that chatsim makes, and roles count; `none`: everybody is who they say, "
        "and may do everything. `none` unless a client has a bad `token`, or `rotate_keys` is played.",
        default=None,
    )
    options: Mapping[str, object] | None = key(
        Kind(_read_options, {"type": "object"}, {}),
        "Settings of the server that chatsim starts, by the names of `chatsys config`.",
        default=None,
    )


class Setup(NamedTuple):
    """What the server is told."""

    auth: Auth | None = None
    options: Mapping[str, str] = {}
    """By name, each as its setting reads it."""


def read_server(data: object, report: Reporter) -> Setup:
    """Return what a file says of the server; what is wrong is reported."""
    if not isinstance(data, dict):
        report(
            Problem(
                code="wrong-type",
                pointer="/server",
                message=f"a map is wanted here, not {describe(data)}",
                label="write `{options: {send_rate: 5/s}}`",
            )
        )
        return Setup()
    keys = read_keys(ServerKeys, data, "/server", report, what="`server`")
    return Setup(keys.auth, _options(keys.options, report) if keys.options else {})


def _options(given: Mapping[str, object], report: Reporter) -> dict[str, str]:
    from harness.drivers import chatsys_options as known  # noqa: PLC0415 - see above

    found: dict[str, str] = {}
    before = report.errors
    for name, value in given.items():
        pointer = f"/server/options/{escape(name)}"
        option = known.options().get(name)
        if option is None:
            report(_unknown(name, pointer, known.options(), own=name in known.OWN))
            continue
        try:
            text = _text(value, option.word)
        except BadValueError as fault:
            report(bad_value(fault, pointer))
            continue
        if fault_text := known.fault_of(name, text):
            label = did_you_mean(text, _words(option.word))
            report(
                Problem(code="bad-value", pointer=pointer, message=f"`{text[:70]}` {fault_text}", label=label)
            )
            continue
        found[name] = text
    if report.errors == before:
        for sentence in known.faults_together(found):
            report(Problem(code="contradiction", pointer="/server/options", message=sentence, on_key=True))
    return found


def _text(value: object, word: str) -> str:
    """Return a value as chatsys reads it; a pace is written here as everywhere in a scenario."""
    if isinstance(value, Filled):
        value = value.plain()
    if word == PACE:
        return f"{RATE.parse(value):g}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise BadValueError(f"one value is wanted here, not {describe(value)}", code="wrong-type")


def _unknown(name: str, pointer: str, known: Mapping[str, Any], *, own: bool) -> Problem:
    return Problem(
        code="unknown-key",
        pointer=pointer,
        message=f"`{name}` is chatsim's to set"
        if own
        else f"no setting of the server is called `{name[:70]}`",
        label="remove it" if own else did_you_mean(name, known),
        help=() if own else (f"settings: {', '.join(known)}",),
        on_key=True,
    )


def sound(plan: Plan, report: Reporter) -> bool:
    """Whether the server may do what it is told: one that is not to look at tokens, and must, is reported."""
    contradicts = plan.auth == "none" and plan.looks_at_tokens
    if contradicts:
        report(
            Problem(
                code="contradiction",
                pointer="/server/auth",
                message="the server must look at tokens here: a client shows a bad one, or its keys change",
                label="remove it, or write `tokens`",
            )
        )
    return not contradicts


def options_schema() -> dict[str, Any]:
    """Return the schema of `options`."""
    from harness.drivers import chatsys_options as known  # noqa: PLC0415 - see above

    return {
        "type": "object",
        "properties": {
            option.name: {**_schema_of(option.word), "description": _said(option)}
            for option in known.options().values()
        },
        "additionalProperties": False,
    }


def options_rows() -> list[tuple[str, str, str]]:
    """Return (name, kind of value, meaning) of every option, for the manual."""
    from harness.drivers import chatsys_options as known  # noqa: PLC0415 - see above

    return [(f"`{option.name}`", _kind(option.word), _said(option)) for option in known.options().values()]


def _said(option: Option) -> str:
    meaning = f"{option.help[0].upper()}{option.help[1:]}."
    # No pace stands for the default of a pace, which is no limit.
    return f"{meaning} Default: `{option.default}`." if option.default and option.word != PACE else meaning


def _words(word: str) -> list[str]:
    """The values of a setting that takes one of a few words; none of any other."""
    return word.strip("{}").split(",") if word.startswith("{") else []


def _schema_of(word: str) -> dict[str, Any]:
    if word == PACE:
        return dict(RATE.schema)
    if word == SWITCH:
        return {"type": "boolean"}
    if word.startswith("{"):
        return {"enum": _words(word)}
    return {"type": {"N": "integer", "SIZE": ["integer", "string"]}.get(word, "string")}


def _kind(word: str) -> str:
    if word.startswith("{"):
        return " or ".join(f"`{each}`" for each in _words(word))
    return {PACE: "pace", "N": "number", "SIZE": "size", "TIME": "duration"}.get(word, "text")
