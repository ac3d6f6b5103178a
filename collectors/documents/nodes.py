"""The parts of a document, each with the place where it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from collectors.errors import DocumentError

WHOLE_DOCUMENT = "(document)"
_MAX_SHOWN = 60
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
# Whatever YAML 1.1 or 1.2 takes for a number, sexagesimal ones aside: those are times or ports.
_NUMBER = re.compile(
    r"[-+]?(0[xo][0-9a-fA-F_]+|0b[01_]+|\.(inf|Inf|INF)|(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)"
    r"([eE][-+]?[0-9]+)?)|\.(nan|NaN|NAN)"
)


class Look(StrEnum):
    """What a text looks like when it stands without quotes."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands: a file, a 1-based line (0 when unknown), a dotted path of fields."""

    file: str
    line: int
    path: str = ""

    def error(self, message: str) -> DocumentError:
        """Return the error that ``message`` is wrong here."""
        return DocumentError(
            message, file=self.file, line=self.line, field=self.path or WHOLE_DOCUMENT
        )

    def below(self, key: str | int, line: int | None = None) -> Place:
        """Return the place of a field or an item of what stands here."""
        if isinstance(key, int):
            path = f"{self.path}[{key}]"
        else:
            name = key if len(key) <= _MAX_SHOWN else f"{key[:_MAX_SHOWN]}…"
            path = f"{self.path}.{name}" if self.path else name
        return Place(file=self.file, line=self.line if line is None else line, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text as it was written, without its quotes."""

    text: str
    quoted: bool
    place: Place

    @property
    def look(self) -> Look:
        """What it looks like: always text when it stands in quotes."""
        if self.quoted:
            return Look.TEXT
        if self.text in _NOTHING:
            return Look.NOTHING
        if self.text in _TRUTHS:
            return Look.TRUTH
        return Look.NUMBER if _NUMBER.fullmatch(self.text) else Look.TEXT

    def __str__(self) -> str:
        if self.look is Look.NOTHING:
            return "nothing"
        text = self.text[:_MAX_SHOWN]
        return repr(text) if self.look is Look.TEXT else text


class Items(list[Any]):
    """A list of nodes."""

    def __init__(self, nodes: list[Node], place: Place) -> None:
        super().__init__(nodes)
        self.place = place

    def __str__(self) -> str:
        return "a list"


class Table(dict[str, Any]):
    """Nodes by the names of their fields, in the order of the document.

    Attributes:
        place: Where the first field stands.
        key_lines: Line of each name; that of its value may come later.
    """

    def __init__(
        self, fields: Mapping[str, Node], place: Place, key_lines: Mapping[str, int]
    ) -> None:
        super().__init__(fields)
        self.place = place
        self.key_lines = key_lines

    def __str__(self) -> str:
        return "a mapping"

    def key_place(self, name: str) -> Place:
        """Return where the name of a field stands."""
        return self.place.below(name, self.key_lines.get(name))

    def given(self) -> Table:
        """Return the fields that hold something: an empty one is as good as left out."""
        fields = {name: node for name, node in self.items() if not is_nothing(node)}
        return Table(fields, self.place, self.key_lines)

    def at(self, *path: str | int) -> Place:
        """Return the place of what ``path`` leads to, or would lead to if it were there."""
        node: Any = self
        place = self.place
        for step in path:
            found = _child(node, step)
            place = place.below(step) if found is None else found.place
            node = found
        return place


Node = Scalar | Items | Table


def is_nothing(node: object) -> bool:
    """Whether a field was named and left empty (or said to be null)."""
    return isinstance(node, Scalar) and node.look is Look.NOTHING


def _child(node: object, step: str | int) -> Node | None:
    found: Node | None = None
    if isinstance(node, Table) and isinstance(step, str):
        found = node.get(step)
    elif isinstance(node, Items) and isinstance(step, int) and step < len(node):
        found = node[step]
    return found
