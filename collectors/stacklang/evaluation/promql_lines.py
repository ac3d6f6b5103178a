"""Lines of this language from expressions of the other."""

from __future__ import annotations

import numpy as np

from collectors.prometheus_labels import tag_key
from collectors.promql.evaluation.query import over_range
from collectors.promql.samples.columns import Source
from collectors.promql.vectors.values import Scalar, Vector
from collectors.stacklang.lines.database import Window
from collectors.stacklang.lines.line_set import LineSet, counted_labels, single_line, tag_label
from collectors.text_order import text_order

_NAMELESS = {"name": "promql"}


def promql_lines(text: str, source: Source, window: Window) -> LineSet:
    """Return what an expression is at the end of each step, ordered by labels.

    A line without any tag is named ``promql`` and labelled by the expression.

    Raises:
        QueryError: It has no answer, or would take too much.
    """
    value = over_range(text, source, window.start_ms, window.end_ms, window.step_ms).value
    if isinstance(value, Scalar):
        return single_line(_NAMELESS, text, value.values)
    assert isinstance(value, Vector)  # noqa: S101 # as ranges have no other values
    sets = [{tag_key(name): label for name, label in one.items()} for one in value.labels.dicts()]
    labels = counted_labels(tag_label(tags) if tags else text for tags in sets)
    order = text_order(labels)
    return LineSet(
        tags=[sets[row] or _NAMELESS for row in order.tolist()],
        labels=[labels[row] for row in order.tolist()],
        values=np.where(value.present, value.values, np.nan)[order],
    )
