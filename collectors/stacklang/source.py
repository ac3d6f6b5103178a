"""Lines for data expressions, fetched from a database and labelled as Atlas labels them."""

from __future__ import annotations

from collectors.model import Tags
from collectors.stacklang.database import Aggregate, Database, Fetch, Window
from collectors.stacklang.durations import short_text
from collectors.stacklang.expressions.data import DataExpr
from collectors.stacklang.line_set import LineSet, key_string, no_data, tag_label
from collectors.stacklang.query_analysis import exact_tags

_UNKNOWN: Tags = {"name": "unknown"}


class DatabaseSource:
    """Answers data expressions from a database.

    Args:
        database: What to ask.
        label_by_tags: Whether an aggregate is labelled by its tags, ``name=sps``, rather than by
            its query, ``sum(name=sps)``.
    """

    def __init__(self, database: Database, *, label_by_tags: bool = False) -> None:
        self._database = database
        self._label_by_tags = label_by_tags

    def lines(self, expr: DataExpr, window: Window) -> LineSet:
        """Return the lines of ``expr`` over ``window``, any offset applied."""
        found = self._fetch(expr, window)
        if not expr.offset:
            return found
        offset = short_text(expr.offset)
        return found.relabelled([f"{label} (offset={offset})" for label in found.labels])

    def _fetch(self, expr: DataExpr, window: Window) -> LineSet:
        answer = self._database.fetch(fetch_for(expr, window))
        fixed = exact_tags(expr.query)
        if expr.aggregate is Aggregate.ALL:
            labels = [tag_label(tags) for tags in answer.tags]
            found = LineSet(tags=answer.tags, labels=labels, values=answer.values)
            return found.take(sorted(range(len(labels)), key=labels.__getitem__))
        if expr.is_grouped:
            return _grouped(expr, [{**fixed, **tags} for tags in answer.tags], answer.values)
        if not len(answer.tags):
            return no_data(window.steps, fixed)
        tags = fixed or _UNKNOWN
        label = f"{expr.aggregate}({expr.query.label()})"
        shown = tag_label(tags) if self._label_by_tags else label
        return LineSet(tags=[tags], labels=[shown], values=answer.values)


def _grouped(expr: DataExpr, tags: list[dict[str, str]], values: object) -> LineSet:
    labels = [key_string(expr.final_grouping, entry) or "" for entry in tags]
    found = LineSet(tags=tags, labels=labels, values=values)  # type: ignore[arg-type] # an array
    return found.take(sorted(range(len(labels)), key=labels.__getitem__))


def fetch_for(expr: DataExpr, window: Window) -> Fetch:
    """Return the request that answers a data expression; an offset is rounded to whole steps."""
    shift_ms = expr.offset.millis // window.step_ms * window.step_ms
    return Fetch(
        query=expr.query,
        aggregate=expr.aggregate,
        consolidation=expr.consolidation,
        window=window.shifted(shift_ms) if shift_ms else window,
        group_by=expr.final_grouping,
    )
