"""Whether documents are OpenSLO, and whether what they promise can be evaluated here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from anomaly.slo.documents.compiler import NotHereError, compile_objectives
from anomaly.slo.documents.metadata import OpenSloDocument
from anomaly.slo.documents.openslo import read_openslo
from anomaly.slo.objective import Objective
from anomaly.slo.tiers import tiers_of, unreachable
from collectors.documents.reading import Mistakes, files_of, text_of
from collectors.documents.section import Context
from collectors.errors import ConfigError, DocumentError
from tocsin.client.wording import multiple, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What was found.

    Attributes:
        documents: Everything that was read.
        objectives: What can be evaluated here.
        problems: What is no OpenSLO, or contradicts itself.
        elsewhere: What is valid and can't be evaluated here.
        warnings: What is valid and has no effect, or less than it says.
    """

    documents: Sequence[OpenSloDocument]
    objectives: Sequence[Objective]
    problems: Sequence[DocumentError]
    elsewhere: Sequence[DocumentError]
    warnings: Sequence[DocumentError]


def validate(paths: Sequence[Path], context: Context, step_ms: int) -> Validation:
    """Read files, and all files of directories, together: they may refer to each other.

    Args:
        paths: Files and directories; of these all ``.yaml``, ``.yml`` and ``.json``.
        context: Strict or lenient, and whether expressions are parsed.
        step_ms: Length of a step, which windows are made of.

    Raises:
        ConfigError: A path is none, or a directory holds no such file.
    """
    reading, documents = Mistakes(), list[OpenSloDocument]()
    for file in _files(paths):
        with reading.kept():
            documents += read_openslo(text_of(file), file=str(file), context=context)
    compiling = Mistakes()
    objectives = compiling.attempt(
        partial(compile_objectives, documents, context, complete=not reading.errors), ()
    )
    elsewhere = [error for error in compiling.errors if isinstance(error, NotHereError)]
    wrong = [error for error in compiling.errors if not isinstance(error, NotHereError)]
    return Validation(
        documents=documents,
        objectives=objectives,
        problems=[*reading.errors, *wrong],
        elsewhere=elsewhere,
        warnings=[*_remarks(objectives, step_ms)],
    )


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = files_of(path)
        if not found:
            raise ConfigError(f"{path} holds no .yaml, .yml or .json file")
        yield from found


def _remarks(objectives: Sequence[Objective], step_ms: int) -> Iterator[DocumentError]:
    """Yield what an objective says that has no effect, and tiers that can never fire."""
    for objective in objectives:
        file, _, line = objective.source.rpartition(":")
        for words in [*objective.remarks, *dead_tiers(objective, step_ms)]:
            yield DocumentError(words, file=file, line=int(line), field=objective.name)


def dead_tiers(objective: Objective, step_ms: int) -> Iterator[str]:
    """Yield why pairs of windows can't fire for the target, even if every event were bad."""
    for tier in unreachable(tiers_of(objective, step_ms), objective.target):
        yield (
            f"{tier.name} can never fire: even if every event were bad, the burn rate would not "
            f"exceed {multiple(float(tier.factor))}; it takes a target above "
            f"{percent(float(1 - 1 / tier.factor))}"
        )
