"""Words of ``math`` over histograms and sketches."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.stacklang.expressions.data import (
    AggregateExpr,
    AllSeries,
    DataExpr,
    GroupedData,
    as_sum,
)
from collectors.stacklang.expressions.percentiles import PERCENTILE, ApproxDistinct, Percentiles
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.numeric.percentiles import bucket_index
from collectors.stacklang.predicates.algebra import as_query, conjoin, disjoin
from collectors.stacklang.predicates.predicate import Compare, Predicate, Query
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import (
    DATA,
    DOUBLE,
    DOUBLE_LIST,
    MISMATCH,
    QUERY,
    SERIES,
    DataType,
)
from collectors.stacklang.program.word import Parameter, Word, macro
from collectors.stacklang.text.faults import require
from collectors.stacklang.text.literals import format_double

_NANOS = 1e9


def _aggregated(item: object) -> object:
    data = DATA.extract(item)
    return MISMATCH if isinstance(data, AllSeries) else data


_AGGREGATED = DataType("DataExpr", _aggregated)


def _percentiles(context: Context, params: Sequence[object]) -> None:
    data, percents = params
    if not isinstance(data, DataExpr) or not isinstance(percents, tuple):
        return
    source = data.source if isinstance(data, GroupedData) else data
    if isinstance(source, AggregateExpr):
        # Counts of buckets add up, whatever aggregate was asked for.
        counts = as_sum(source.query).with_offset(source.offset)
        grouped = GroupedData(counts, (PERCENTILE, *data.final_grouping))
        context.push(Percentiles(grouped, percents))


def _sample_count(context: Context, params: Sequence[object]) -> None:
    query, low, high = params
    if isinstance(query, Predicate) and isinstance(low, float) and isinstance(high, float):
        counted = conjoin(as_query(query), range_query(low, high))
        rewrite = NamedRewrite(
            "sample-count", query, (low, high), as_sum(counted), context.runner.reparse
        )
        context.push(rewrite)


def range_query(low: float, high: float) -> Query:
    """Return a query for the buckets between two values, of timers (s) or of summaries.

    Raises:
        QueryError: ``low`` is negative, or not below ``high``.
    """
    shown = f"min={format_double(low)}, max={format_double(high)}"
    require(low < high, f"min >= max ({shown})")
    require(low >= 0.0, f"min < 0 (min={format_double(low)})")
    return disjoin(_bucket_range("D", low, high), _bucket_range("T", low * _NANOS, high * _NANOS))


def _bucket_range(prefix: str, low: float, high: float) -> Query:
    first, last = (f"{prefix}{bucket_index(value):04X}" for value in (low, high))
    return conjoin(Compare(PERCENTILE, "ge", first), Compare(PERCENTILE, "le", last))


def _approx_distinct(context: Context, params: Sequence[object]) -> None:
    (expr,) = params
    if isinstance(expr, SeriesExpr):
        context.push(ApproxDistinct(expr))


_QUERY = Parameter(type=QUERY, name="q", summary="a percentile timer or distribution summary")

PERCENTILE_WORDS = (
    Word(
        name="percentiles",
        parameters=(
            Parameter(type=_AGGREGATED, summary="bucket counts"),
            Parameter(type=DOUBLE_LIST, name="percentiles", summary="between 0 and 100"),
        ),
        outputs=(SERIES,),
        run=_percentiles,
        summary="Estimate percentiles of a timer or distribution summary that counts in buckets, "
        "a line each. `$percentile` shows the percentile in a legend.",
        examples=("name,requestLatency,:eq,(,25,50,90,)",),
    ),
    Word(
        name="sample-count",
        parameters=(
            _QUERY,
            Parameter(type=DOUBLE, name="min"),
            Parameter(type=DOUBLE, name="max"),
        ),
        outputs=(SERIES,),
        run=_sample_count,
        summary="Estimate how many samples a second lie between two values, for instance to find "
        "the share of requests faster than a bound.",
        examples=("name,requestLatency,:eq,0,0.1",),
    ),
    macro(
        "sample-count",
        "0,Infinity,:sample-count",
        parameters=(_QUERY,),
        outputs=(SERIES,),
        summary="Estimate how many samples there are a second.",
        examples=("name,requestLatency,:eq",),
    ),
    Word(
        name="approx-distinct",
        parameters=(Parameter(type=SERIES, summary="a distinct count sketch"),),
        outputs=(SERIES,),
        run=_approx_distinct,
        summary="Estimate the number of distinct values in each step, with an error of about 13 %.",
        examples=("name,server.uniqueUsers,:eq",),
        keeps_style=True,
    ),
)
