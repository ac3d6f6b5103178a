"""YAML and JSON text into nodes: bounded, without types of its own, every mistake collected.

PyYAML composes; what it would make of the texts (dates, octal and sexagesimal numbers, ``NO`` for
false: YAML 1.1) is not asked for. Anchors, aliases and merge keys (``<<``) work, expanded within
the bounds. Tags that would make objects are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from collectors.documents.nodes import Items, Node, Place, Scalar, Table, is_nothing
from collectors.errors import DocumentError

_PLAIN, _QUOTED = "plain", "quoted"
_CORE = "tag:yaml.org,2002:"
_MERGE = "<<"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a file may hold: characters, values (each alias counts in full), levels."""

    max_characters: int = 1_000_000
    max_values: int = 50_000
    max_depth: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The documents of a file, in their order, and what is wrong with their text."""

    nodes: Sequence[Node]
    errors: Sequence[DocumentError]


def compose(
    text: str,
    file: str,
    *,
    environment: Mapping[str, str] | None = None,
    bounds: Bounds = Bounds(),
) -> Composed:
    """Return the documents in ``text``: YAML, several by ``---``, or JSON; empty ones are left out.

    Args:
        text: The whole file.
        file: Its path for messages.
        environment: Where ``${NAME}`` and ``${NAME:-default}`` are looked up; None leaves them.
        bounds: How much it may hold.

    Raises:
        DocumentError: Not YAML, or beyond the bounds: nothing can be said of the rest.
    """
    whole = Place(file=file, line=0)
    if len(text) > bounds.max_characters:
        raise whole.error(
            f"{len(text)} characters, over the limit of {bounds.max_characters}: split the file"
        )
    if text.lstrip()[:1] in ("{", "["):
        # JSON allows tabs between tokens and YAML does not; inside JSON strings none can stand.
        text = text.replace("\t", " ")
    converter = _Converter(file, environment, bounds)
    try:
        loader = _Loader(text, whole, bounds.max_depth)
        nodes = [converter.convert(node, "") for node in loader.nodes()]
    except yaml.YAMLError as error:
        place = Place(file=file, line=_line(error, text))
        raise place.error(f"this is not YAML: {_reason(error)}") from None
    return Composed(
        nodes=[node for node in nodes if not is_nothing(node)], errors=tuple(converter.errors)
    )


def _line(error: yaml.YAMLError, text: str) -> int:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return int(error.problem_mark.line) + 1
    if isinstance(error, yaml.reader.ReaderError):
        return text.count("\n", 0, error.position) + 1
    return 0


def _reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"the character {chr(error.character)!r} is not allowed"
    return str(getattr(error, "problem", None) or error)


class _Loader(yaml.SafeLoader):
    """Composes without asking what texts look like, and not deeper than allowed."""

    def __init__(self, text: str, whole: Place, max_depth: int) -> None:
        super().__init__(text)
        self._whole = whole
        self._max_depth = max_depth
        self._depth = 0

    def nodes(self) -> Iterator[yaml.Node]:
        """Yield the documents as they are composed."""
        while self.check_node():
            node = self.get_node()
            if node is not None:
                yield node

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node, counting how deep it lies."""
        self._depth += 1
        if self._depth > self._max_depth:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            place = Place(file=self._whole.file, line=event.start_mark.line + 1)
            raise place.error(f"nested deeper than {self._max_depth} levels")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Return how a scalar was written, in place of what YAML 1.1 would take it for."""
        del value
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _QUOTED
        return _CORE + ("seq" if kind is yaml.SequenceNode else "map")


class _Converter:
    """Turns PyYAML's nodes into ours, aliases and merge keys expanded, within the bounds."""

    def __init__(self, file: str, environment: Mapping[str, str] | None, bounds: Bounds) -> None:
        self.errors: list[DocumentError] = []
        self._file = file
        self._environment = environment
        self._bounds = bounds
        self._count = 0
        self._open: list[int] = []

    def convert(self, node: yaml.Node, path: str) -> Node:
        """Return ``node`` and what is below it."""
        place = Place(file=self._file, line=node.start_mark.line + 1, path=path)
        with self._inside(node, place):
            if isinstance(node, yaml.ScalarNode):
                return self._scalar(node, place)
            if isinstance(node, yaml.SequenceNode):
                self._refuse_tags(node, place, "seq")
                children = enumerate(node.value)
                return Items([self.convert(n, f"{path}[{i}]") for i, n in children], place)
            fields, lines = self._fields(node, place)
            return Table(fields, place, lines)

    @contextmanager
    def _inside(self, node: yaml.Node, place: Place) -> Iterator[None]:
        """Count ``node`` and hold it open, so that aliases can't multiply or turn in circles."""
        self._count += 1
        if self._count > self._bounds.max_values:
            raise place.error(
                f"more than {self._bounds.max_values} values, aliases counted in full: "
                "split the file"
            )
        if id(node) in self._open:
            raise place.error("an alias stands inside of what it refers to")
        if len(self._open) >= self._bounds.max_depth:
            raise place.error(f"nested deeper than {self._bounds.max_depth} levels")
        self._open.append(id(node))
        yield
        self._open.pop()

    def _fields(self, node: yaml.Node, place: Place) -> tuple[dict[str, Node], dict[str, int]]:
        """Return the fields of a mapping and the lines of their names, merged ones at the end."""
        self._refuse_tags(node, place, "map")
        fields: dict[str, Node] = {}
        lines: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                here = Place(file=place.file, line=line, path=place.path)
                self.errors.append(here.error("the name of a field must be text"))
            elif key.value == _MERGE and key.tag == _PLAIN:
                merged.extend(value.value if isinstance(value, yaml.SequenceNode) else [value])
            elif key.value in fields:
                self.errors.append(place.below(key.value, line).error("given twice: keep one"))
            else:
                name = str(key.value)
                lines[name] = line
                fields[name] = self.convert(value, place.below(name).path)
        for source in merged:
            self._merge(source, place, fields, lines)
        return fields, lines

    def _merge(
        self, source: yaml.Node, place: Place, fields: dict[str, Node], lines: dict[str, int]
    ) -> None:
        """Add what ``source`` holds and the mapping itself does not: its own fields win."""
        if not isinstance(source, yaml.MappingNode):
            here = place.below(_MERGE, source.start_mark.line + 1)
            self.errors.append(here.error("only mappings can be merged in"))
            return
        with self._inside(source, place):
            more, more_lines = self._fields(source, place)
        for name, value in more.items():
            if name not in fields:
                fields[name] = value
                lines[name] = more_lines[name]

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Scalar:
        self._refuse_tags(node, place, "str", "int", "float", "bool", "null")
        text = str(node.value)
        if _SURROGATE.search(text):
            text = self._joined(text, place)
        if self._environment is not None and "${" in text:
            text = self._filled(text, place, self._environment)
        quoted = node.tag in (_QUOTED, f"{_CORE}str")
        return Scalar(text=text, quoted=quoted, place=place)

    def _refuse_tags(self, node: yaml.Node, place: Place, *kinds: str) -> None:
        allowed = (_PLAIN, _QUOTED, *(_CORE + kind for kind in kinds))
        if node.tag not in allowed:
            tag = node.tag.replace(_CORE, "!!", 1)
            self.errors.append(place.error(f"the tag {tag[:60]} has no meaning here: leave it out"))

    def _joined(self, text: str, place: Place) -> str:
        """Join characters that JSON escapes in two halves."""
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.errors.append(place.error("holds half of a character, as \\ud83d alone is"))
            return _SURROGATE.sub("", text)

    def _filled(self, text: str, place: Place, environment: Mapping[str, str]) -> str:
        """Replace variables by their values."""

        def value_of(match: re.Match[str]) -> str:
            value = environment.get(match[1], match[2])
            if value is None:
                remedy = f"set it or write ${{{match[1]}:-default}}"
                self.errors.append(place.error(f"the environment has no {match[1]}; {remedy}"))
            return value or ""

        return _VARIABLE.sub(value_of, text)
