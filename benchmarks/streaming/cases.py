"""Incidents as they lie in a directory: a CSV file of minutes each, and ``causes.json``."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from collectors.model import FloatArray, Tags

_MINUTE, _VALUE, _COUNT = "min", "value", "cnt"

Cause = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident up to its alarm.

    Attributes:
        name: Of its file.
        keys: Tag keys.
        tags: Of each series.
        failures: (series, minutes), the minute of the alarm last.
        requests: Likewise.
        causes: What was truly at fault: any of these.
    """

    name: str
    keys: tuple[str, ...]
    tags: tuple[Tags, ...]
    failures: FloatArray
    requests: FloatArray
    causes: tuple[Cause, ...]


def read_cases(directory: Path) -> Iterator[Case]:
    """Yield the incidents of ``directory``, of each nothing that lies after its alarm."""
    for entry in json.loads((directory / "causes.json").read_text(encoding="utf-8")):
        causes = tuple(_cause(cause) for cause in entry["causes"])
        yield _read(directory / entry["case"], int(entry["time_s"]), causes)


def _cause(cause: Mapping[str, list[object]]) -> Cause:
    return frozenset((key, str(value)) for key, values in cause.items() for value in values)


def _read(path: Path, alarm_s: int, causes: tuple[Cause, ...]) -> Case:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row[_MINUTE]) <= alarm_s]
    keys = tuple(sorted(set(rows[0]) - {_MINUTE, _VALUE, _COUNT}))
    minutes = {minute: at for at, minute in enumerate(sorted({int(r[_MINUTE]) for r in rows}))}
    series = {
        values: at for at, values in enumerate(sorted({tuple(r[k] for k in keys) for r in rows}))
    }
    failures = np.zeros((len(series), len(minutes)))
    requests = np.zeros_like(failures)
    for row in rows:
        place = series[tuple(row[key] for key in keys)], minutes[int(row[_MINUTE])]
        failures[place] += float(row[_VALUE])
        requests[place] += float(row[_COUNT])
    tags = tuple(dict(zip(keys, values, strict=True)) for values in series)
    return Case(
        name=path.name,
        keys=keys,
        tags=tags,
        failures=failures,
        requests=requests,
        causes=causes,
    )
