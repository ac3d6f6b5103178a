"""Objectives and detector rules from the operator's directories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.rules.detector_reader import read_rules
from anomaly.slo.documents.compiler import compile_objectives
from anomaly.slo.documents.openslo import read_openslo
from anomaly.slo.objective import Objective
from collectors.documents.nodes import Place
from collectors.documents.reading import Mistakes, files_of, text_of
from collectors.documents.section import PLAIN, Context

Document = TypeVar("Document")


def load_objectives(directory: Path, context: Context = PLAIN) -> tuple[Objective, ...]:
    """Return the objectives of all OpenSLO files in ``directory``; none if it does not exist.

    Raises:
        DocumentError: All mistakes of all files, with file, line and field.
    """
    mistakes = Mistakes()
    documents = _read(directory, partial(read_openslo, context=context), mistakes)
    complete = not mistakes.errors
    compiling = partial(compile_objectives, documents, context, complete=complete)
    objectives = mistakes.attempt(compiling, ())
    mistakes.raise_any()
    return objectives


def load_detectors(directory: Path, context: Context = PLAIN) -> tuple[DetectorDefinition, ...]:
    """Return the detector rules of all files in ``directory``; none if it does not exist.

    Raises:
        DocumentError: All mistakes of all files, with file, line and field.
    """
    mistakes = Mistakes()
    rules: dict[str, DetectorDefinition] = {}
    for rule in _read(directory, partial(read_rules, context=context), mistakes):
        taken = rules.setdefault(rule.name, rule)
        if taken is not rule:
            file, _, line = rule.source.rpartition(":")
            place = Place(file=file, line=int(line), path="metadata.name")
            told = f"the name {rule.name!r} is taken by {taken.source}"
            mistakes.errors.append(place.error(told))
    mistakes.raise_any()
    return tuple(rules.values())


def _read(
    directory: Path, read: Callable[..., Sequence[Document]], mistakes: Mistakes
) -> list[Document]:
    """Return the documents of all files in ``directory``."""
    documents: list[Document] = []
    for file in files_of(directory):
        with mistakes.kept():
            documents.extend(read(text_of(file), file=str(file)))
    return documents
