"""Objectives and detector rules from the operator's directories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.rules.detector_reader import read_rules
from anomaly.slo.documents.compiler import compile_objectives
from anomaly.slo.documents.openslo import OpenSloObject
from anomaly.slo.documents.openslo_reader import read_openslo
from anomaly.slo.objective import Objective
from collectors.errors import ConfigError, DocumentError

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


def load_detectors(directory: Path) -> tuple[DetectorDefinition, ...]:
    """Return the detector rules of all files in ``directory``; none if it does not exist.

    Raises:
        DocumentError: The first mistake, with file, line and field.
        ConfigError: A file can't be read, or two rules have the same name.
    """
    rules: dict[str, DetectorDefinition] = {}
    for file in _files(directory):
        for rule in read_rules(_text(file), file=str(file)):
            if rule.name in rules:
                taken = rules[rule.name].source
                raise ConfigError(f"{rule.source}: the name {rule.name!r} is taken by {taken}")
            rules[rule.name] = rule
    return tuple(rules.values())


def mistakes(
    directory: Path, read: Callable[[str, str], object], load: Callable[[Path], object]
) -> tuple[ConfigError, ...]:
    """Return every file's first mistake, and without one what is wrong with all files together.

    Args:
        directory: Where the files are.
        read: Reads one: its text, then its path for messages.
        load: Reads all of the directory.
    """
    errors = _errors_of(directory, read)
    if not errors:
        try:
            load(directory)
        except ConfigError as error:
            errors.append(error)
    return tuple(errors)


def _errors_of(directory: Path, read: Callable[[str, str], object]) -> list[ConfigError]:
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
