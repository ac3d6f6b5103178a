"""Operators' YAML files, read so that every complaint names file, line and field."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from collectors.errors import DocumentError

MAX_BYTES = 1_000_000
_TEXT_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}


class Document:
    """One node of a YAML document, with the place where it stands.

    Args:
        node: The composed node.
        file: Path as the operator wrote it.
        field: Dotted path of this node, empty for the top.
    """

    def __init__(self, node: yaml.Node, *, file: str, field: str = "") -> None:
        self._node = node
        self._file = file
        self._field = field

    def error(self, message: str, name: str = "") -> DocumentError:
        """Return the error that ``message`` is about this node, or its field ``name``."""
        node = self._find(name) if name else self._node
        line = (node or self._node).start_mark.line + 1
        return DocumentError(message, file=self._file, line=line, field=self._path(name) or "(top)")

    def only(self, *allowed: str) -> None:
        """Refuse fields other than ``allowed``: a misspelt one must not be ignored."""
        for name in self.names():
            if name not in allowed:
                raise self.error(f"unknown field; known are {', '.join(allowed)}", name)

    def names(self) -> list[str]:
        """Return the names of the fields."""
        return [str(key.value) for key, _ in self._mapping()]

    def has(self, name: str) -> bool:
        """Whether field ``name`` is there."""
        return self._find(name) is not None

    def child(self, name: str) -> Document:
        """Return field ``name``, which must be there."""
        node = self._find(name)
        if node is None:
            raise self.error(f"{name!r} is missing", name)
        return Document(node, file=self._file, field=self._path(name))

    def children(self, name: str) -> list[Document]:
        """Return the items of the list ``name``; none if it is not there."""
        return self.child(name).items() if self.has(name) else []

    def items(self) -> list[Document]:
        """Return the items of this list."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.error("must be a list; write each item after a dash")
        return [
            Document(node, file=self._file, field=f"{self._field}[{index}]")
            for index, node in enumerate(self._node.value)
        ]

    def text(self, name: str, default: str | None = None) -> str:
        """Return the text of field ``name``."""
        if default is not None and not self.has(name):
            return default
        return self.child(name).scalar()

    def texts(self, name: str) -> list[str]:
        """Return field ``name``: one text or a list of them."""
        child = self.child(name)
        if isinstance(child._node, yaml.SequenceNode):  # noqa: SLF001  # same class
            return [item.scalar() for item in child.items()]
        return [child.scalar()]

    def number(self, name: str) -> float:
        """Return the number in field ``name``."""
        raw = self.text(name)
        try:
            return float(raw)
        except ValueError:
            raise self.error(f"{raw!r} is not a number", name) from None

    def choices(self, name: str, allowed: Iterable[str]) -> list[str]:
        """Return one or several of ``allowed`` from field ``name``."""
        known = [str(value) for value in allowed]
        found = self.texts(name)
        for value in found:
            if value not in known:
                raise self.error(f"{value!r} is none of {', '.join(known)}", name)
        return found

    def choice(self, name: str, allowed: Iterable[str]) -> str:
        """Return the one of ``allowed`` that field ``name`` holds."""
        found = self.choices(name, allowed)
        if len(found) != 1:
            raise self.error("must be a single value", name)
        return found[0]

    def scalar(self) -> str:
        """Return this node's text."""
        node = self._node
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _TEXT_TAGS:
            raise self.error("must be a text; put it in quotes if it looks like something else")
        if not node.value.strip():
            raise self.error("is empty")
        return str(node.value)

    def _mapping(self) -> list[tuple[yaml.Node, yaml.Node]]:
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error("must hold fields, each as name: value")
        pairs: list[tuple[yaml.Node, yaml.Node]] = self._node.value
        return pairs

    def _find(self, name: str) -> yaml.Node | None:
        return next((value for key, value in self._mapping() if key.value == name), None)

    def _path(self, name: str) -> str:
        return ".".join(part for part in (self._field, name) if part)


def load_document(path: Path) -> Document:
    """Read the YAML file at ``path``.

    Raises:
        DocumentError: It can't be read, is no YAML, is empty or too large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _broken(path, f"is larger than {MAX_BYTES} bytes")
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise _broken(path, f"can't be read: {error.strerror}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise _broken(path, f"is not readable as YAML in UTF-8: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _broken(path, f"is no YAML: {error.problem}", line) from error
    except yaml.YAMLError as error:
        raise _broken(path, f"is no YAML: {error}") from error
    if node is None:
        raise _broken(path, "is empty", 1)
    return Document(node, file=str(path))


def _broken(path: Path, message: str, line: int = 0) -> DocumentError:
    return DocumentError(message, file=str(path), line=line, field="(file)")
