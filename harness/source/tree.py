"""YAML text -> plain data, and beside it where every key and value stands.

The loader works on libyaml's events (PyYAML's own parser when libyaml is absent) without recursion, so neither deep
nesting nor an alias bomb costs more than a sentence. Scalars follow the core schema of YAML 1.2: `no` and `on`
are text, `010` is ten, `1:30` is text, dates are text. Keys are always text, as written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from harness.model.span import Span
from harness.source.diagnostic import LINE_BREAK, Diagnostic, Note
from harness.source.syntax import explain_syntax
from harness.source.text import position
from harness.verbs.problem import escape

MAX_DEPTH = 32
MAX_VALUES = 200_000

#: What may not stand in a file of ASCII characters only.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_TAGS = "tag:yaml.org,2002:"
_SCALAR_TAGS = ("str", "int", "float", "bool", "null")


@dataclass(slots=True)
class Tree:
    """One document: its data and the places of everything in it, by JSON pointer."""

    data: Any
    values: dict[str, Span]
    keys: dict[str, Span]
    """Pointer of a value in a map -> where its key stands."""

    def place(self, pointer: str, *, on_key: bool = False) -> Span:
        """Return where a pointer stands; of one that is not in the file, where its nearest parent stands."""
        while pointer:
            found = self.keys.get(pointer) if on_key else None
            found = found or self.values.get(pointer) or self.keys.get(pointer)
            if found is not None:
                return found
            pointer, on_key = pointer.rpartition("/")[0], True
        return self.values.get("", Span(1, 1))


@dataclass(slots=True)
class _Node:
    """A value with its place; `children` holds the items of a list or the entries of a map."""

    span: Span
    scalar: Any = None
    items: list[_Node] | None = None
    entries: dict[str, tuple[Span, _Node]] | None = None
    merged: list[tuple[Span, _Node]] = field(default_factory=list)
    size: int = 1
    """How many values it has, aliases counted each time."""
    key: tuple[str, Span] | None = None
    """While a map is read: the key whose value comes next."""
    anchor: str | None = None


class _Stop(Exception):  # noqa: N818 - it is no error of ours: the file cannot be read further
    pass


def parse(text: str, file: str) -> tuple[Tree | None, list[Diagnostic]]:
    """Read one document.

    Returns:
        The tree, or None when the text is no YAML document; and all faults found. With faults the tree
        holds what could be read.
    """
    if (match := _forbidden(text).search(text)) is not None:
        line, column = position(text, match.start())
        message = f"the character U+{ord(match[0]):04X} may not stand in YAML"
        return None, [
            Diagnostic(
                code="bad-character", message=message, file=file, line=line, column=column, label="remove it"
            )
        ]
    composer = _Composer(text, file)
    try:
        root = composer.compose()
    except _Stop:
        return None, composer.faults
    except yaml.MarkedYAMLError as fault:
        composer.faults.append(explain_syntax(fault, file, composer.lines))
        return None, composer.faults
    if root is None:
        composer.faults.append(
            Diagnostic(
                code="empty-file",
                message="the file has comments but no content",
                file=file,
                help=("a scenario begins with `scenario: TITLE`, then `clients:`, `rooms:` and `steps:`",),
            )
        )
        return None, composer.faults
    tree = Tree(None, {}, {})
    tree.data = _build(root, tree, "")
    return tree, composer.faults


class _Composer:
    """Makes nodes of parser events, with a stack of its own."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.lines = LINE_BREAK.split(text)
        self.faults: list[Diagnostic] = []
        loader: Callable[[str], Any] = yaml.CLoader if yaml.__with_libyaml__ else yaml.Loader
        self._loader = loader(text)
        self._stack: list[_Node] = []
        self._anchors: dict[str, _Node] = {}
        self._root: _Node | None = None

    def compose(self) -> _Node | None:
        """Read all events of the first document."""
        documents = 0
        for event in self._events():
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        self._fault(
                            "many-documents", "a second document begins here", event, "one file, one scenario"
                        )
                        raise _Stop
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.SequenceStartEvent():
                    self._open(_Node(self._span(event), items=[]), event, "seq")
                case yaml.MappingStartEvent():
                    self._open(_Node(self._span(event), entries={}), event, "map")
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._close(event)
                case _:
                    pass
        return self._root

    def _events(self) -> Iterator[Any]:
        while self._loader.check_event():
            yield self._loader.get_event()

    # -- one event -----------------------------------------------------------------------------------------

    def _scalar(self, event: Any) -> None:
        span = self._span(event)
        if self._wants_key():
            self._key(str(event.value), span, event)
            return
        tag = event.tag
        if tag is not None and tag != "!" and tag.removeprefix(_TAGS) not in _SCALAR_TAGS:
            self._unknown_tag(tag, event)
        quoted = not event.implicit[0] or event.style in ("'", '"', "|", ">")
        if tag is None:
            value = str(event.value) if quoted else resolve(str(event.value))
        else:
            value = self._tagged(tag.removeprefix(_TAGS), str(event.value), event)
        self._place(_Node(span, scalar=value, anchor=event.anchor))

    def _alias(self, event: Any) -> None:
        span = self._span(event)
        if self._wants_key():
            self._fault("bad-key", "a key must be text", event, "write the name itself")
            self._stack[-1].key = ("", span)
            return
        target = self._anchors.get(event.anchor)
        if target is None:
            self._fault(
                "unknown-alias", f"no anchor `&{event.anchor}` stands before this", event,
                "text that begins with `*` must stand in quotes",
            )  # fmt: skip
            self._place(_Node(span, scalar=f"*{event.anchor}"))
        elif target in self._stack:
            self._fault("recursive-alias", f"`*{event.anchor}` is a part of itself", event, "write it out")
            raise _Stop
        else:
            self._place(
                _Node(span, target.scalar, target.items, target.entries, target.merged, size=target.size)
            )

    def _open(self, node: _Node, event: Any, tag: str) -> None:
        if event.tag is not None and event.tag not in ("!", _TAGS + tag):
            self._unknown_tag(event.tag, event)
        if self._wants_key():
            self._fault(
                "bad-key", "a key must be text, not a list or a map", event, "text with brackets needs quotes"
            )
            raise _Stop
        if len(self._stack) >= MAX_DEPTH:
            self._fault(
                "too-deep",
                f"this is nested more than {MAX_DEPTH} levels deep",
                event,
                "no scenario needs that",
            )
            raise _Stop
        node.anchor = event.anchor
        if node.anchor:
            self._anchors[node.anchor] = node
        self._stack.append(node)

    def _close(self, event: Any) -> None:
        node = self._stack.pop()
        if event.end_mark.line + 1 == node.span.line and event.end_mark.column >= node.span.column:
            node.span = node.span._replace(width=event.end_mark.column + 1 - node.span.column)
        self._place(node)

    # -- into the parent -----------------------------------------------------------------------------------

    def _wants_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].entries is not None and self._stack[-1].key is None

    def _place(self, node: _Node) -> None:
        if node.anchor:
            self._anchors[node.anchor] = node
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        parent.size += node.size
        if parent.size > MAX_VALUES:
            self._fault_at(
                "too-large", f"the file has more than {MAX_VALUES:,} values", node.span,
                "aliases count each time they are used",
            )  # fmt: skip
            raise _Stop
        if parent.items is not None:
            parent.items.append(node)
            return
        assert parent.entries is not None
        assert parent.key is not None
        (name, span), parent.key = parent.key, None
        if name == "<<":
            self._merge(parent, node, span)
        elif name in parent.entries:
            first = parent.entries[name][0]
            self.faults.append(
                Diagnostic(
                    code="duplicate-key",
                    message=f"the key `{name[:70]}` stands here twice",
                    file=self.file,
                    **_at(span),
                    label="remove one, or put both in one",
                    notes=(Note(*first, "first here"),),
                )
            )
        else:
            parent.entries[name] = (span, node)

    def _key(self, text: str, span: Span, event: Any) -> None:
        # `<<` in quotes is a key like any other; no table has one, so it is refused as unknown.
        quoted = event.style in ("'", '"')
        self._stack[-1].key = (f"{text} " if text == "<<" and quoted else text, span)

    def _merge(self, parent: _Node, node: _Node, span: Span) -> None:
        sources = node.items if node.items is not None else [node]
        for source in sources:
            if source.entries is None:
                self._fault_at(
                    "bad-merge", "`<<` takes a map, or a list of maps", span, "as in `<<: *defaults`"
                )
            else:
                parent.merged.append((span, source))

    # -- scalars and faults --------------------------------------------------------------------------------

    def _tagged(self, tag: str, text: str, event: Any) -> Any:
        value = text if tag in ("str", "!") else resolve(text)
        wanted: dict[str, tuple[type, ...]] = {
            "int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)
        }  # fmt: skip
        if tag in wanted and not isinstance(value, wanted[tag]):
            self._fault("unknown-tag", f"`{text[:70]}` is no `!!{tag}`", event, "remove the tag")
        return value

    def _unknown_tag(self, tag: str, event: Any) -> None:
        short = "!!" + tag.removeprefix(_TAGS) if tag.startswith(_TAGS) else tag
        self._fault(
            "unknown-tag", f"`{short[:70]}` is a YAML tag that means nothing here", event,
            "text that begins with `!` must stand in quotes",
        )  # fmt: skip

    def _fault(self, code: str, message: str, event: Any, label: str) -> None:
        self._fault_at(code, message, self._span(event), label)

    def _fault_at(self, code: str, message: str, span: Span, label: str) -> None:
        self.faults.append(Diagnostic(code=code, message=message, file=self.file, **_at(span), label=label))

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        if end.line == start.line:
            width = end.column - start.column
        else:
            width = len(self.lines[start.line].rstrip()) - start.column if start.line < len(self.lines) else 1
        return Span(start.line + 1, start.column + 1, max(1, width))


def _forbidden(text: str) -> re.Pattern[str]:
    """Return the pattern of what YAML does not allow: invisible, and meant by nobody."""
    if text.isascii():
        return _CONTROL
    # Made when it is needed: it takes as long as reading a scenario.
    return re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _at(span: Span) -> dict[str, Any]:
    return {"line": span.line, "column": span.column, "width": span.width}


def resolve(text: str) -> Any:
    """Return the value of a plain scalar under the core schema of YAML 1.2."""
    first = text[:1]
    if not first or (first in "nN~" and _NULL.match(text)):
        return None
    if first in "tTfF" and text in _BOOL:
        return _BOOL[text]
    if first not in "+-.0123456789":
        return text
    try:
        if _INT.match(text):
            return int(text)
        if _OCTAL.match(text):
            return int(text, 0)
        if _HEX.match(text):
            return int(text, 0)
    except ValueError:  # more digits than Python reads
        return text
    if _FLOAT.match(text):
        return float(text)
    if _SPECIAL.match(text):
        return float(text.replace(".", "").lower())
    return text


def _build(node: _Node, tree: Tree, pointer: str) -> Any:
    """Make plain data of a node, writing down where everything stands. Depth is bounded by MAX_DEPTH."""
    tree.values[pointer] = node.span
    if node.items is not None:
        return [_build(item, tree, f"{pointer}/{index}") for index, item in enumerate(node.items)]
    if node.entries is None:
        return node.scalar
    data = {}
    for name, (span, value) in node.entries.items():
        here = f"{pointer}/{escape(name)}"
        tree.keys[here] = span
        data[name] = _build(value, tree, here)
        if value.span.line != span.line and isinstance(data[name], list | dict):
            tree.values[here] = span  # a list or map of several lines is known by its key
    for span, source in node.merged:
        merged = _build(source, Tree(None, {}, {}), "")
        for name, value in merged.items():
            if name not in data:
                here = f"{pointer}/{escape(name)}"
                tree.keys[here] = span
                data[name] = value
                _mark(value, tree, here, span)
    return data


def _mark(value: Any, tree: Tree, pointer: str, span: Span) -> None:
    """Place merged data at the `<<` that brought it."""
    tree.values[pointer] = span
    if isinstance(value, list):
        for index, item in enumerate(value):
            _mark(item, tree, f"{pointer}/{index}", span)
    elif isinstance(value, dict):
        for name, item in value.items():
            tree.keys[f"{pointer}/{escape(name)}"] = span
            _mark(item, tree, f"{pointer}/{escape(name)}", span)
