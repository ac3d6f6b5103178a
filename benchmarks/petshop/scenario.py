"""A scenario of PetShop as it lies in a directory: call graph, healthy metrics, issues."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anomaly.causes.call_graph import CallGraph
from anomaly.causes.deviation import NodeSeries, Symptom
from collectors.model import FloatArray

_HEAD_ROWS = 4
_METRICS = {
    Symptom.SLOW: ("latency", "Average"),
    Symptom.FAILING: ("availability", "Average"),
}
_SYMPTOMS = {"latency": Symptom.SLOW, "availability": Symptom.FAILING}

Columns = Mapping[tuple[str, str, str], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One issue: what was asked about, and the truth.

    Attributes:
        name: Of its directory.
        target: The service with the symptom.
        symptom: What was wrong.
        columns: The metrics of its frame.
        cause: The service at fault.
    """

    name: str
    target: str
    symptom: Symptom
    columns: Columns
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A directory's content."""

    name: str
    graph: CallGraph
    healthy: Columns
    issues: tuple[Issue, ...]


def read_scenario(directory: Path) -> Scenario:
    """Return the scenario in ``directory``."""
    with (directory / "graph.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    calls = [
        (row[0], name)
        for row in rows
        for name, cell in zip(head[1:], row[1:], strict=True)
        if float(cell or 0)
    ]
    places = sorted(directory.glob("*/issue_*"), key=lambda place: place.parts[-2:])
    return Scenario(
        name=directory.name,
        graph=CallGraph(calls),
        healthy=_columns(directory / "noissue" / "metrics.csv"),
        issues=tuple(_issue(place) for place in places),
    )


def series_of(
    columns: Columns, symptom: Symptom, first: int = 0, last: int | None = None
) -> dict[str, NodeSeries]:
    """Return the services' series of some rows, as far as they are measured."""
    metric = _METRICS[symptom]
    found = {}
    for name in sorted({node for node, *_ in columns}):
        level = columns.get((name, *metric))
        requests = columns.get((name, "requests", "Sum"))
        if level is not None and requests is not None:
            shown = level if symptom is Symptom.SLOW else 1.0 - level / 100.0
            found[name] = NodeSeries(requests=requests[first:last], level=shown[first:last])
    return found


def _issue(place: Path) -> Issue:
    told = json.loads((place / "target.json").read_text(encoding="utf-8"))
    return Issue(
        name=f"{place.parent.name}/{place.name}",
        target=told["target"]["node"],
        symptom=_SYMPTOMS[told["target"]["metric"]],
        columns=_columns(place / "metrics.csv"),
        cause=told["root_cause"]["node"],
    )


def _columns(path: Path) -> Columns:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    values = np.array(
        [[float(cell) if cell else np.nan for cell in row[1:]] for row in rows[_HEAD_ROWS:]]
    )
    names = zip(rows[0][1:], rows[1][1:], rows[2][1:], strict=True)
    return {name: values[:, at] for at, name in enumerate(names)}
