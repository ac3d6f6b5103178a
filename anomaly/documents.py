"""YAML and JSON as trees that remember where each value stands.

Every value carries its file, line and dotted path, so that a mistake anywhere in an operator's file
becomes a :class:`collectors.errors.DocumentError` that points at it. Timestamps stay text (YAML 1.1
would turn them into dates), numbers keep their digits (so that 99.9 is exactly 999/1000).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import yaml

from collectors.errors import DocumentError

MAX_BYTES = 1_000_000
MAX_NODES = 50_000
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value with its place. ``value`` is the text of a scalar, a list or a mapping of nodes.

    Attributes:
        value: Text of a scalar (None for null), items, or fields.
        tag: ``str``, ``int``, ``float``, ``bool``, ``null``, ``seq`` or ``map``.
        file: Path as the operator wrote it.
        line: 1-based line.
        path: Dotted field path; empty for the document itself.
    """

    value: str | Sequence[Node] | Mapping[str, Node] | None
    tag: str
    file: str
    line: int
    path: str

    def fail(self, message: str) -> NoReturn:
        """Raise a :class:`DocumentError` that points here."""
        raise DocumentError(
            message, file=self.file, line=self.line, field=self.path or "(document)"
        )


def read_documents(text: str, file: str) -> list[Node]:
    """Return the documents in ``text``: YAML (several, by ``---``) or JSON; a list is flattened.

    Raises:
        DocumentError: Not YAML, too large, nested too deep, or a field given twice.
    """
    if len(text) > MAX_BYTES:
        message = f"{len(text)} characters, over the limit of {MAX_BYTES}: split the file"
        raise DocumentError(message, file=file, line=0, field="(document)")
    if text.lstrip()[:1] in ("{", "["):
        # JSON allows tabs between tokens and YAML does not; inside JSON strings none can stand.
        text = text.replace("\t", " ")
    try:
        raw = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise DocumentError(
            _reason(error), file=file, line=_line(error), field="(document)"
        ) from None
    documents = _Converter(file)
    nodes = [documents.convert(node, "", 0) for node in raw if node is not None]
    flat: list[Node] = []
    for node in nodes:
        if isinstance(node.value, Sequence) and not isinstance(node.value, str):
            flat.extend(node.value)
        elif node.tag != "null":
            flat.append(node)
    return flat


def _line(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return int(mark.line) + 1 if mark is not None else 0


def _reason(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not valid"
    return f"this is not YAML: {problem}"


class _Converter:
    """Turns PyYAML's nodes into ours, counting them so that aliases can't multiply without end."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._count = 0

    def convert(self, node: yaml.Node, path: str, depth: int) -> Node:
        self._count += 1
        line = node.start_mark.line + 1
        here = Node(value=None, tag="null", file=self._file, line=line, path=path)
        if self._count > MAX_NODES:
            here.fail(f"more than {MAX_NODES} values: split the file")
        if depth > MAX_DEPTH:
            here.fail(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, yaml.MappingNode):
            fields = self._fields(node, path, depth)
            return Node(value=fields, tag="map", file=self._file, line=line, path=path)
        if isinstance(node, yaml.SequenceNode):
            items = [
                self.convert(item, f"{path}[{index}]", depth + 1)
                for index, item in enumerate(node.value)
            ]
            return Node(value=items, tag="seq", file=self._file, line=line, path=path)
        return self._scalar(node, here)

    def _fields(self, node: yaml.MappingNode, path: str, depth: int) -> Mapping[str, Node]:
        fields: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            child = f"{path}.{key}" if path else key
            if key in fields:
                place = Node(
                    value=None,
                    tag="null",
                    file=self._file,
                    line=key_node.start_mark.line + 1,
                    path=child,
                )
                place.fail("given twice: keep one")
            fields[key] = self.convert(value_node, child, depth + 1)
        return fields

    def _scalar(self, node: yaml.Node, here: Node) -> Node:
        tag = node.tag.rsplit(":", 1)[-1]
        if tag not in ("str", "int", "float", "bool", "null"):
            tag = "str"
        value = None if tag == "null" else str(node.value)
        return Node(value=value, tag=tag, file=here.file, line=here.line, path=here.path)
