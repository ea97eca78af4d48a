"""``read``: flags over environment over file over defaults, and every fault of all of them at once.

Invariants: a key that is in no table is a fault, wherever it stands; a fault names its place, and what was meant.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from chatsys.config.table import PREFIX, Setting, make, settings_of

CONFIG_FLAG = "--config"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
FOREIGN = frozenset({"SERVER", "USER", "TOKEN", "CA", "CERT", "CERT_KEY"})
"""Variables of the clients' command line, which have the same prefix."""


class ConfigError(Exception):
    """The configuration cannot be used.

    Attributes:
        faults: Sentences, one for each fault.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class _Table(Protocol):
    def faults(self) -> list[str]:
        """What is wrong with settings that are each well formed; whole sentences."""


Table = TypeVar("Table", bound=_Table)


class Configuration(NamedTuple, Generic[Table]):
    """What was read."""

    settings: Table
    origins: dict[str, str]
    """Where each value comes from, by name: a flag, a variable, a file, or ``default``."""


class _Given(NamedTuple):
    text: str
    origin: str


def read(
    table: type[Table],
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    only: Iterable[str] | None = None,
) -> Configuration[Table]:
    """Reads a whole configuration.

    Args:
        table: See ``table``; its ``faults()`` knows what cannot go together.
        argv: Flags.
        environ: Variables.
        only: Names of the settings that have flags here; None for all. Variables and file know all of them.

    Raises:
        ConfigError: Something is wrong; nothing was done.
    """
    rows = {row.name: row for row in settings_of(table)}
    faults: list[str] = []
    flags = _flags(argv, {row.flag: row for row in rows.values() if only is None or row.name in only}, faults)
    variables = _variables(environ, rows, faults)
    path = flags.pop("config", None) or variables.pop("config", None)
    given = {**(_file(path, rows, faults) if path else {}), **variables, **flags}
    values: dict[str, Any] = {}
    for name, (text, origin) in given.items():
        try:
            values[name] = rows[name].kind.parse(text)
        except ValueError as fault:
            faults.append(f"{origin}: {text[:80]!r} {fault}")
    settings = make(table, values)
    faults += settings.faults()
    if faults:
        raise ConfigError(faults)
    origins = {name: given[name].origin if name in given else "default" for name in rows}
    return Configuration(settings, origins)


def _flags(argv: Sequence[str], rows: Mapping[str, Setting], faults: list[str]) -> dict[str, _Given]:
    found: dict[str, _Given] = {}
    known = [*rows, CONFIG_FLAG]
    words = iter(argv)
    for word in words:
        flag, equals, text = word.partition("=")
        if flag != CONFIG_FLAG and flag not in rows:
            faults.append(f"{flag[:80]!r} is no option here{_meant(flag, known)}")
            following = None if equals else next(words, None)
            if following is not None and following.startswith("--"):  # else it is what the option was to hold
                words = iter([following, *words])
            continue
        row = rows.get(flag)
        if not equals:
            if row is not None and row.kind.flag:
                text = "true"
            else:
                following = next(words, None)
                if following is None or (following.startswith("--") and following.split("=")[0] in known):
                    faults.append(f"{flag} needs a value")
                    if following is None:
                        break
                    words = iter([following, *words])
                    continue
                text = following
        found["config" if row is None else row.name] = _Given(text, flag)
    return found


def _variables(
    environ: Mapping[str, str], rows: Mapping[str, Setting], faults: list[str]
) -> dict[str, _Given]:
    found: dict[str, _Given] = {}
    for row in rows.values():
        for variable in row.variables:
            text = environ.get(variable, "")
            if text and not _of_orchestrator(variable, text):
                found[row.name] = _Given(text, variable)
                break
    if environ.get(CONFIG_VARIABLE):
        found["config"] = _Given(environ[CONFIG_VARIABLE], CONFIG_VARIABLE)
    known = {CONFIG_VARIABLE, *(variable for row in rows.values() for variable in row.variables)}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in known:
            continue
        if variable.removeprefix(PREFIX) not in FOREIGN and not _of_orchestrator(variable, text):
            faults.append(f"{variable} in the environment is no setting{_meant(variable, known)}")
    return found


def _of_orchestrator(variable: str, text: str) -> bool:
    """Whether Kubernetes put it there, as it does in every container beside a service that is called chatsys."""
    name = variable.removeprefix(PREFIX)
    return name.startswith(("SERVICE_HOST", "SERVICE_PORT", "PORT_")) or (
        name == "PORT" and text.startswith(("tcp://", "udp://"))
    )


def _file(given: _Given, rows: Mapping[str, Setting], faults: list[str]) -> dict[str, _Given]:
    import tomllib  # noqa: PLC0415  # a server without a file starts without it

    path = Path(given.text)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        faults.append(f"{given.origin}: {path} cannot be read: {error.strerror}")
        return {}
    except ValueError as error:
        faults.append(f"{path} is no TOML: {error}")
        return {}
    found: dict[str, _Given] = {}
    for name, value in data.items():
        origin = f"{path}: {name}"
        if name not in rows:
            faults.append(f"{origin} is no setting{_meant(name, rows)}")
        elif isinstance(value, bool):
            found[name] = _Given(str(value).lower(), origin)
        elif isinstance(value, (int, float, str)):
            found[name] = _Given(str(value), origin)
        else:
            faults.append(f"{origin} is a {type(value).__name__}; give one value")
    return found


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, tuple(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
