"""Objectives and detector rules from the operator's directories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from anomaly.rules.detector_definition import DetectorRule
from anomaly.rules.detector_reader import read_rules
from anomaly.slo.documents.compiler import compile_objectives
from anomaly.slo.documents.openslo import OpenSloObject
from anomaly.slo.documents.openslo_reader import read_openslo
from anomaly.slo.objective import Objective
from collectors.errors import ConfigError, DocumentError

T = TypeVar("T")

_SUFFIXES = (".yaml", ".yml", ".json")


def load_objectives(directory: Path) -> tuple[Objective, ...]:
    """Return the objectives of all OpenSLO files in ``directory``; none if it does not exist.

    Raises:
        DocumentError: The first mistake, with file, line and field.
        ConfigError: A file can't be read.
    """
    objects: list[OpenSloObject] = []
    for file in _files(directory):
        objects.extend(read_openslo(_text(file), file=str(file)))
    return compile_objectives(objects)


def load_detectors(directory: Path) -> tuple[DetectorRule, ...]:
    """Return the detector rules of all files in ``directory``; none if it does not exist.

    Raises:
        DocumentError: The first mistake, with file, line and field.
        ConfigError: A file can't be read, or two rules have the same name.
    """
    rules: dict[str, DetectorRule] = {}
    for file in _files(directory):
        for rule in read_rules(_text(file), file=str(file)):
            if rule.name in rules:
                taken = rules[rule.name].source
                raise ConfigError(f"{rule.source}: the name {rule.name!r} is taken by {taken}")
            rules[rule.name] = rule
    return tuple(rules.values())


def check_anomaly(slos: Path, detectors: Path) -> tuple[ConfigError, ...]:
    """Return every file's first mistake, for ``check-config``: empty means all is well."""
    errors = [
        *_errors_of(slos, lambda text, file: read_openslo(text, file=file)),
        *_errors_of(detectors, lambda text, file: read_rules(text, file=file)),
    ]
    for load in (lambda: load_objectives(slos), lambda: load_detectors(detectors)):
        try:
            if not errors:
                load()
        except ConfigError as error:
            errors.append(error)
    return tuple(errors)


def _errors_of(directory: Path, read: Callable[[str, str], Sequence[T]]) -> list[ConfigError]:
    errors: list[ConfigError] = []
    for file in _files(directory):
        try:
            read(_text(file), str(file))
        except ConfigError as error:
            errors.append(error)
    return errors


def _files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(f for f in directory.iterdir() if f.suffix in _SUFFIXES)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"can't be read as UTF-8 text: {error}"
        raise DocumentError(message, file=str(file), line=0, field="(file)") from error
