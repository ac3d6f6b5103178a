"""A YAML document whose every field knows its file, line and path, for errors that help."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml

from collectors.errors import DocumentError

_Result = TypeVar("_Result")

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?"
)
_DURATION_MS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)
_SIZE = re.compile(r"(\d+)\s*(B|KB|KiB|MB|MiB|GB|GiB)?")
_SIZES = {"B": 1, "KB": 1 << 10, "KiB": 1 << 10, "MB": 1 << 20, "MiB": 1 << 20, "GB": 1 << 30}
_TRUTHS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a document."""

    node: yaml.Node
    file: str
    path: str
    environment: Mapping[str, str]

    def error(self, message: str) -> DocumentError:
        """Return an error that points here."""
        line = self.node.start_mark.line + 1
        return DocumentError(message, file=self.file, line=line, field=self.path or "(document)")

    def mapping(self, known: frozenset[str] | None = None) -> dict[str, Field]:
        """Return the entries; raise for keys outside of ``known`` and for repeated keys."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"must be a mapping, not {self._shown()}")
        entries: dict[str, Field] = {}
        for key_node, value_node in self.node.value:
            key = str(key_node.value)
            path = f"{self.path}.{key}" if self.path else key
            entry = Field(value_node, self.file, path, self.environment)
            if known is not None and key not in known:
                raise Field(key_node, self.file, path, self.environment).error(
                    f"unknown field, known are {', '.join(sorted(known))}"
                )
            if key in entries:
                raise entry.error("is given twice")
            entries[key] = entry
        return entries

    def items(self) -> list[Field]:
        """Return the elements of a list; an empty value is an empty list."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.value in ("", "null", "~"):
            return []
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"must be a list, not {self._shown()}")
        return [
            Field(node, self.file, f"{self.path}[{i}]", self.environment)
            for i, node in enumerate(self.node.value)
        ]

    def text(self) -> str:
        """Return a scalar as text, with ``${NAME}`` and ``${NAME:-default}`` replaced."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error(f"must be a text, not {self._shown()}")
        return _VARIABLE.sub(self._variable, str(self.node.value))

    def boolean(self) -> bool:
        """Return true or false."""
        found = _TRUTHS.get(self.text().lower())
        if found is None:
            raise self.error(f"must be true or false, not {self.text()!r}")
        return found

    def whole(self) -> int:
        """Return a whole number that is not negative."""
        text = self.text()
        if not text.isdigit() or len(text) > 18:
            raise self.error(f"must be a whole number, not {text!r}")
        return int(text)

    def size(self) -> int:
        """Return a number of bytes such as ``10MB``; 0 means no limit."""
        match = _SIZE.fullmatch(self.text())
        if match is None:
            raise self.error(f"must be a size such as 10MB, not {self.text()!r}")
        return int(match.group(1)) * _SIZES.get(match.group(2) or "B", 1 << 30)

    def duration_ms(self) -> int:
        """Return a positive duration such as ``1m30s``."""
        match = _DURATION.fullmatch(self.text())
        parts = match.groups() if match else ()
        total = sum(int(n) * ms for n, ms in zip(parts, _DURATION_MS, strict=False) if n)
        if total <= 0:
            raise self.error(f"must be a duration such as 15s or 1m30s, not {self.text()!r}")
        return total

    def converted(self, convert: Callable[[str], _Result], wanted: str) -> _Result:
        """Return the text converted; a ``ValueError`` becomes an error that says ``wanted``."""
        text = self.text()
        try:
            return convert(text)
        except ValueError as error:
            raise self.error(f"must be {wanted}, not {text!r}: {error}") from error

    def _variable(self, match: re.Match[str]) -> str:
        value = self.environment.get(match[1], match[2])
        if value is None:
            raise self.error(
                f"the environment has no {match[1]}; set it or write ${{{match[1]}:-default}}"
            )
        return value

    def _shown(self) -> str:
        if isinstance(self.node, yaml.MappingNode):
            return "a mapping"
        if isinstance(self.node, yaml.SequenceNode):
            return "a list"
        return f"{str(self.node.value)[:60]!r}"


def load_document(path: Path, environment: Mapping[str, str] | None = None) -> Field:
    """Return the root of a YAML file.

    Raises:
        DocumentError: The file can't be read, is not YAML, or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(
            f"can't be read: {error}", file=str(path), line=0, field="(file)"
        ) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        message = f"is not YAML: {error.problem or error}"
        raise DocumentError(message, file=str(path), line=line, field="(document)") from error
    except yaml.YAMLError as error:
        raise DocumentError(
            f"is not YAML: {error}", file=str(path), line=0, field="(document)"
        ) from error
    if root is None:
        raise DocumentError("is empty", file=str(path), line=1, field="(document)")
    return Field(root, str(path), "", os.environ if environment is None else environment)
