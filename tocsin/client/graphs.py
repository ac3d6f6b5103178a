"""Graphs in columns: what Atlas's ``std.json`` says, as arrays over one time grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.client.errors import UnreadableError

_NO_DATA = "NO DATA"  # Atlas's legend for the line that stands for no line


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a graph.

    Attributes:
        label: Legend as the server worded it.
        tags: Tags common to all series of the line.
        values: Shape (steps,), float64, NaN where there is no data.
    """

    label: str
    tags: Mapping[str, str]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Lines over one regular time grid; column ``i`` ends at ``start_ms + i * step_ms``."""

    start_ms: int
    step_ms: int
    lines: tuple[Line, ...]

    @property
    def times_ms(self) -> NDArray[np.int64]:
        """Ends of the intervals, epoch milliseconds, shape (steps,)."""
        steps = len(self.lines[0].values) if self.lines else 0
        return self.start_ms + np.arange(steps, dtype=np.int64) * self.step_ms


def graph_columns(answer: Mapping[str, Any]) -> Graph:
    """Turn Atlas's ``std.json`` into columns.

    ``std.json`` writes NaN and infinities as strings, one row a step.

    >>> graph = graph_columns({"start": 0, "step": 5000, "legend": ["a"],
    ...                        "metrics": [{"name": "a"}], "values": [[1.0], ["NaN"]]})
    >>> graph.lines[0].values
    array([ 1., nan])
    """
    try:
        legend = [str(label) for label in answer["legend"]]
        rows = np.asarray(answer["values"], dtype=object).astype(np.float64)
        values = rows.reshape(-1, max(len(legend), 1))
        tags = [dict(tags) for tags in answer["metrics"]]
        lines = tuple(
            Line(label=label, tags=tags[i], values=np.ascontiguousarray(values[:, i]))
            for i, label in enumerate(legend)
            if label != _NO_DATA
        )
        return Graph(start_ms=int(answer["start"]), step_ms=int(answer["step"]), lines=lines)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UnreadableError(f"the graph's answer is not std.json: {error!r}") from error
