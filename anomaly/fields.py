"""Reading the fields of a document: what is required, of which type, and nothing unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import NoReturn, TypeVar

from anomaly.documents import Node

T = TypeVar("T")

MAX_DESCRIPTION = 1050
# Long digits and exponents are refused before they become numbers: 1e999999999 would take for ever.
_NUMBER = re.compile(r"[-+]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})([eE][-+]?\d{1,2})?")
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Section:
    """A mapping that is read field by field; :meth:`finish` refuses what nobody asked for."""

    def __init__(self, node: Node) -> None:
        if not isinstance(node.value, Mapping):
            node.fail(f"must be a mapping of fields, got {shown(node)}")
        self.node = node
        self._fields: Mapping[str, Node] = node.value
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._fields

    def names(self) -> Sequence[str]:
        """Names of all fields given."""
        return tuple(self._fields)

    def optional(self, key: str, read: Callable[[Node], T]) -> T | None:
        """Read ``key`` if it is there and not null."""
        self._asked.append(key)
        node = self._fields.get(key)
        return None if node is None or node.tag == "null" else read(node)

    def required(self, key: str, read: Callable[[Node], T]) -> T:
        """Read ``key``; its absence is an error at this mapping's place."""
        self._asked.append(key)
        node = self._fields.get(key)
        if node is None:
            self.fail(key, "is required")
        if node.tag == "null":
            node.fail("is required, but empty here")
        return read(node)

    def fail(self, key: str, message: str) -> NoReturn:
        """Raise an error at field ``key``, or at this mapping when the field is not there."""
        given = self._fields.get(key)
        if given is not None:
            given.fail(message)
        slips = get_close_matches(key, [n for n in self._fields if n not in self._asked], n=1)
        if slips:
            self._fields[slips[0]].fail(f"unknown field; did you mean {key!r}?")
        path = f"{self.node.path}.{key}" if self.node.path else key
        node = self.node
        Node(value=None, tag="null", file=node.file, line=node.line, path=path).fail(message)

    def finish(self) -> None:
        """Refuse fields that were never asked for."""
        for name, node in self._fields.items():
            if name not in self._asked:
                known = ", ".join(self._asked)
                close = get_close_matches(name, self._asked, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known fields: {known}"
                node.fail(f"unknown field; {hint}")


def shown(node: Node) -> str:
    """Describe a value for a message."""
    kinds = {"map": "a mapping", "seq": "a list", "null": "nothing"}
    return kinds.get(node.tag, f"{node.value!r}")


def text(node: Node) -> str:
    """Read text; numbers and booleans in its place are refused, since YAML changes their look."""
    if not isinstance(node.value, str) or node.tag != "str":
        node.fail(f"must be text, got {shown(node)}; put it in quotes if it is meant")
    return node.value


def nonempty(node: Node) -> str:
    """Read text of at least one character."""
    value = text(node)
    if not value.strip():
        node.fail("must not be empty")
    return value


def description(node: Node) -> str:
    """Read a description, at most 1,050 characters as OpenSLO says."""
    value = text(node)
    if len(value) > MAX_DESCRIPTION:
        node.fail(f"{len(value)} characters, at most {MAX_DESCRIPTION} are allowed")
    return value


def boolean(node: Node) -> bool:
    """Read true or false."""
    if node.tag != "bool" or not isinstance(node.value, str):
        node.fail(f"must be true or false, got {shown(node)}")
    return _BOOLEANS[node.value.lower()]


def number(node: Node) -> Fraction:
    """Read a finite number exactly as its digits say."""
    if node.tag not in ("int", "float") or not isinstance(node.value, str):
        node.fail(f"must be a number, got {shown(node)}")
    if _NUMBER.fullmatch(node.value) is None:
        node.fail(f"must be a plain finite number, got {node.value!r}")
    return Fraction(node.value)


def whole(node: Node) -> int:
    """Read a whole number."""
    value = number(node)
    if value.denominator != 1:
        node.fail(f"must be a whole number, got {node.value}")
    return int(value)


def items(node: Node) -> Sequence[Node]:
    """Read a list."""
    if node.tag != "seq" or not isinstance(node.value, Sequence) or isinstance(node.value, str):
        node.fail(f"must be a list, got {shown(node)}")
    return node.value


def one_of(*choices: str) -> Callable[[Node], str]:
    """Return a reader that accepts exactly these words."""

    def read(node: Node) -> str:
        value = text(node)
        if value not in choices:
            node.fail(f"must be one of {', '.join(choices)}, got {value!r}")
        return value

    return read


def matching(pattern: str, meaning: str) -> Callable[[Node], str]:
    """Return a reader of text that matches ``pattern`` entirely; ``meaning`` says it in words."""
    compiled = re.compile(pattern)

    def read(node: Node) -> str:
        value = text(node)
        if compiled.fullmatch(value) is None:
            node.fail(f"must be {meaning}, got {value!r}")
        return value

    return read
