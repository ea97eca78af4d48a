"""A table of settings: the fields of a dataclass, each with its kind, default and help.

A field that is itself such a dataclass is a group; its settings stand beside the others, and no name repeats.
"""

import dataclasses
from typing import Any, NamedTuple

from chatsys.config.kinds import Kind, show_duration

PREFIX = "CHATSYS_"
"""Of every variable."""


class Setting(NamedTuple):
    """One row."""

    name: str
    kind: Kind
    default: Any
    """None: there is no value unless somebody gives one, or the default is ``said``."""
    help: str
    said: str
    """How the default is told where it is made from something else."""
    variables: tuple[str, ...]
    """Environment variables, the first one found counts."""

    @property
    def flag(self) -> str:
        """Its spelling on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def show(self, value: Any) -> str:
        """A value as its kind reads it."""
        match value:
            case bool():
                return str(value).lower()
            case float() if self.kind.word == "TIME":
                return show_duration(value)
            case float():
                return repr(value)
            case _:
                return str(value)


def setting(kind: Kind, default: Any, help: str, *, said: str = "", also: str = "") -> Any:  # noqa: A002  # its name
    """A field of a table.

    Args:
        kind: What it may hold.
        default: Its value unless given, or a function that makes it.
        help: Half a sentence.
        said: What the default is, where the value alone would not tell.
        also: One more environment variable that may hold it.
    """
    metadata = {"kind": kind, "help": help, "said": said, "also": (also,) if also else ()}
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(table: type) -> tuple[Setting, ...]:
    """The rows of a table, groups included, in order."""
    found: list[Setting] = []
    for field in dataclasses.fields(table):
        if "kind" not in field.metadata:
            found += settings_of(_group(field))
            continue
        meta = field.metadata
        variables = (PREFIX + field.name.upper(), *meta["also"])
        found.append(
            Setting(field.name, meta["kind"], _default(field), meta["help"], meta["said"], variables)
        )
    return tuple(found)


def make(table: type, values: dict[str, Any]) -> Any:
    """A table filled with values by name; what is not there has its default."""
    given: dict[str, Any] = {}
    for field in dataclasses.fields(table):
        if "kind" not in field.metadata:
            given[field.name] = make(_group(field), values)
        elif field.name in values:
            given[field.name] = values[field.name]
    return table(**given)


def _default(field: "dataclasses.Field[Any]") -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _group(field: "dataclasses.Field[Any]") -> type:
    # Typed as any callable: the fields of a table are settings, or groups made by their class.
    group: Any = field.default_factory
    assert isinstance(group, type), f"{field.name} is neither a setting nor a group of them"
    return group
