"""From the program of a request to the lines of each of its expressions."""

from __future__ import annotations

from collectors.api.charting import StyledLines
from collectors.api.graph_request import GraphRequest
from collectors.api.reading import MetricReader
from collectors.model import Tags


def evaluate_styled(wanted: GraphRequest, store: MetricReader) -> list[StyledLines]:
    """Evaluate every expression that the program leaves on the stack, bottom first."""
    from collectors.stacklang.evaluation import evaluate

    frame = evaluate(wanted.program, store, wanted.window)
    return [
        StyledLines(
            tags=[frame.tags[i]],
            labels=[frame.labels[i]],
            values=frame.values[i : i + 1],
            legend=_own_label,
            settings={},
        )
        for i in range(len(frame.labels))
    ]


def _own_label(label: str, tags: Tags) -> str:
    del tags
    return label
