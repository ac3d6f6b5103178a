"""PromQL in an indicator: what of it counts events, per second, whatever the query counts in.

What a query counts is read from its functions. ``rate`` gives events per second; ``increase`` and
``delta``, and sums and counts over time, give those of their range, which is divided out. A counter
that is read as it stands counts nothing by itself, so it is asked for by its rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from anomaly.promql.query_field import RATE_RANGE_MS, Query
from anomaly.promql.written import rewritten
from anomaly.slo.documents.metadata import OpenSloSection
from collectors.documents.section import Context
from collectors.errors import DocumentError
from collectors.promql.language.checking import walk
from collectors.promql.language.nodes import (
    Aggregation,
    Call,
    MatrixSelector,
    Node,
    Subquery,
    VectorSelector,
    bare,
)
from collectors.promql.language.parsing import parse
from collectors.promql.language.printing import text_of

TYPES = ("prometheus", "promql", "thanos", "mimir", "cortex")
"""Kinds of source that are asked in PromQL, in small letters."""

_PER_SECOND = ("rate", "irate", "deriv")
_PER_RANGE = ("increase", "delta", "idelta", "sum_over_time", "count_over_time")


class PromqlSource(OpenSloSection):
    """What the `spec` of a source of type prometheus holds."""

    query: Query | None = None
    """A query in PromQL; or call it `promql`."""
    promql: Query | None = None
    """The same."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that none or both are given."""
        del context
        if (self.query is None) == (self.promql is None):
            yield self.place.error("exactly one of query and promql must be given")

    @property
    def text(self) -> str:
        """The query."""
        return self.query or self.promql or ""


class UncountableError(ValueError):
    """Nobody can say what of time a query counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A query of events.

    Attributes:
        query: As it is asked.
        per_second: Whether it counts events per second; else those of each step.
        remark: What was made of it; "" for nothing.
    """

    query: str
    per_second: bool
    remark: str = ""


def counted(query: str, *, counter: bool | None) -> Counted:
    """Return how a query counts events.

    >>> counted("sum(increase(x[1m]))", counter=None).query
    '(sum(increase(x[1m]))) / 60'
    >>> counted("sum(x)", counter=True).query
    'sum(rate(x[5m]))'

    Args:
        query: PromQL.
        counter: What the document says: whether counters are read.

    Raises:
        UncountableError: It counts over ranges of several lengths.
    """
    node = parse(query)
    calls = [one for one in walk(node) if isinstance(one, Call)]
    if any(call.function in _PER_SECOND for call in calls):
        return Counted(query=query, per_second=True)
    ranges = {_range_ms(call) for call in calls if call.function in _PER_RANGE}
    if len(ranges) > 1 or None in ranges:
        raise UncountableError("counts over several lengths of time: use rate")
    for range_ms in ranges:
        assert range_ms is not None  # noqa: S101 - refused above
        seconds = f"{range_ms / 1_000:g}"
        return Counted(query=f"({query}) / {seconds}", per_second=True)
    if counter is False or not _raw(node):
        return Counted(query=query, per_second=False)
    asked = text_of(_rated(node))
    remark = f"{query!r} reads a counter as it stands, which counts nothing: asked as {asked}"
    return Counted(query=asked, per_second=True, remark=remark)


def _range_ms(call: Call) -> int | None:
    inner = bare(call.args[0])
    if not isinstance(inner, MatrixSelector | Subquery):
        return None
    return inner.range if isinstance(inner.range, int) else None


def _raw(node: Node) -> bool:
    """Return whether series are read as they stand, one by one or added up."""
    inner = bare(node)
    if isinstance(inner, Aggregation) and inner.op == "sum":
        inner = bare(inner.expr)
    return isinstance(inner, VectorSelector)


def _rated(node: Node) -> Node:
    def change(one: Node) -> Node:
        if not isinstance(one, VectorSelector):
            return one
        whole = MatrixSelector(start=one.start, end=one.end, selector=one, range=RATE_RANGE_MS)
        return Call(start=one.start, end=one.end, function="rate", args=(whole,))

    return rewritten(replace(node), change)
