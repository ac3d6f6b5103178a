"""Lines for data expressions, fetched from a database and labelled as Atlas labels them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from collectors.budget import hold, spend
from collectors.model import FloatArray, Tags
from collectors.promql.samples.columns import Source
from collectors.stacklang.evaluation.promql_lines import promql_lines
from collectors.stacklang.lines.database import Aggregate, Database, Fetch, Lines, Window
from collectors.stacklang.lines.layouts import Layouts
from collectors.stacklang.lines.line_set import (
    NO_DATA_LABEL,
    NO_DATA_TAGS,
    LineSet,
    counted_labels,
    key_string,
    tag_label,
)
from collectors.stacklang.lines.requests import DataRequest
from collectors.stacklang.predicates.analysis import exact_tags
from collectors.stacklang.text.durations import short_text
from collectors.stacklang.text.faults import illegal_argument
from collectors.text_order import text_order

# Data are consolidated from the database's own steps, and a row of them takes memory whether there
# are data or not: five years of 10 s, thirty of a minute.
MAX_BASE_STEPS = 16_000_000
MAX_SHIFT_MS = 365_000 * 86_400_000

# What the tags of one line take.
_LINE_BYTES = 400

_UNKNOWN: Tags = {"name": "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How an answer becomes lines.

    Attributes:
        tags: Of each line.
        labels: Of each line.
        order: Row of the answer for each line; None for all of them as they are. No rows but one
            line stands for no data.
    """

    tags: Sequence[Tags]
    labels: Sequence[str]
    order: NDArray[np.intp] | None = None

    def values(self, answered: FloatArray) -> FloatArray:
        """Return the lines' values."""
        if len(answered) == 0 and len(self.tags) == 1:
            return np.full((1, answered.shape[1]), np.nan)
        return answered if self.order is None else answered[self.order]


class OnceDatabase:
    """Asks a database each distinct question once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._answers: dict[Fetch, Lines] = {}

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._database.step_ms

    def samples(self) -> Source:
        """Return the samples of the database.

        Raises:
            QueryError: It has none.
        """
        if not isinstance(self._database, SampledDatabase):
            raise illegal_argument("':promql' asks for samples, and these data have none")
        return self._database.samples()

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``, from memory if it was asked before."""
        known = self._answers.get(request)
        if known is None:
            known = self._answers[request] = self._database.fetch(request)
        return known


@runtime_checkable
class SampledDatabase(Database, Protocol):
    """A database that has samples besides lines, for PromQL."""

    def samples(self) -> Source:
        """Return them as they are now."""
        ...


class DatabaseSource:
    """Answers data expressions from a database.

    Args:
        database: What to ask.
        label_by_tags: Whether an aggregate is labelled by its tags, ``name=sps``, rather than by
            its query, ``sum(name=sps)``.
        layouts: Kept from one step to the next by whoever asks the same again.
    """

    def __init__(
        self, database: Database, *, label_by_tags: bool = False, layouts: Layouts | None = None
    ) -> None:
        self._database = database
        self._label_by_tags = label_by_tags
        self._layouts = Layouts() if layouts is None else layouts

    def lines(self, expr: DataRequest, window: Window) -> LineSet:
        """Return the lines of ``expr`` over ``window``, any offset applied.

        Raises:
            QueryError: The window covers more than ``MAX_BASE_STEPS`` of the database's steps.
        """
        answer = self._answer(expr, window)
        layout = self._layouts.get(expr, (answer.tags,), lambda: self._layout(expr, answer.tags))
        return LineSet(tags=layout.tags, labels=layout.labels, values=layout.values(answer.values))

    def unlabelled(self, expr: DataRequest, window: Window) -> LineSet:
        """Return the lines of ``expr`` as the database has them, without labels.

        Raises:
            As :meth:`lines`.
        """
        answer = self._answer(expr, window)
        return LineSet(tags=answer.tags, labels=(), values=answer.values)

    def promql(self, text: str, window: Window) -> LineSet:
        """Return the lines of an expression in PromQL, ordered by their labels.

        Raises:
            QueryError: It has no answer, or the data have no samples.
        """
        if not isinstance(self._database, SampledDatabase):
            raise illegal_argument("':promql' asks for samples, and these data have none")
        samples = self._database.samples()
        return promql_lines(text, samples, window)

    def _answer(self, expr: DataRequest, window: Window) -> Lines:
        base_steps = window.steps * (window.step_ms // self._database.step_ms)
        if base_steps > MAX_BASE_STEPS:
            raise illegal_argument(
                f"range too long: {base_steps} steps of data > {MAX_BASE_STEPS}; "
                "ask for a shorter range"
            )
        answer = self._database.fetch(fetch_for(expr, window))
        hold(answer.values, "lines")
        return answer

    def _layout(self, expr: DataRequest, found: Sequence[Tags]) -> _Layout:
        tags, labels = self._lines(expr, found)
        order = text_order(labels)
        if expr.offset:
            offset = short_text(expr.offset)
            labels = [f"{label} (offset={offset})" for label in labels]
        if np.array_equal(order, np.arange(len(order))):
            return _Layout(tags=tags, labels=labels)
        rows = order.tolist()
        return _Layout(
            tags=[tags[row] for row in rows], labels=[labels[row] for row in rows], order=order
        )

    def _lines(self, expr: DataRequest, found: Sequence[Tags]) -> tuple[Sequence[Tags], list[str]]:
        """Return tags and labels in the order of the answer."""
        fixed = exact_tags(expr.query)
        if expr.aggregate is Aggregate.ALL:
            return found, counted_labels(map(tag_label, found))
        if expr.is_grouped:
            spend(len(found) * _LINE_BYTES, "the tags of lines")
            grouped = [{**fixed, **tags} for tags in found]
            names = (key_string(expr.final_grouping, tags) or "" for tags in grouped)
            return grouped, counted_labels(names)
        if not len(found):
            return [fixed or NO_DATA_TAGS], [NO_DATA_LABEL]
        own = fixed or _UNKNOWN
        plain = f"{expr.aggregate}({expr.query.label()})"
        return [own], [tag_label(own) if self._label_by_tags else plain]


def fetch_for(expr: DataRequest, window: Window) -> Fetch:
    """Return the request that answers a data expression; an offset is rounded to whole steps."""
    shift_ms = expr.offset.millis // window.step_ms * window.step_ms
    if abs(shift_ms) > MAX_SHIFT_MS:
        raise illegal_argument(f"offset {short_text(expr.offset)} is more than 1000 years")
    return Fetch(
        query=expr.query,
        aggregate=expr.aggregate,
        consolidation=expr.consolidation,
        window=window.shifted(shift_ms) if shift_ms else window,
        group_by=expr.final_grouping,
    )
