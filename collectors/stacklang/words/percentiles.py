"""Words of ``math`` over histograms and sketches."""

from __future__ import annotations

from collectors.stacklang.expressions.data import (
    AggregateExpr,
    GroupedData,
    as_sum,
)
from collectors.stacklang.expressions.percentiles import PERCENTILE, ApproxDistinct, Percentiles
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.numeric.percentiles import bucket_index
from collectors.stacklang.predicates.algebra import conjoin, disjoin
from collectors.stacklang.predicates.predicate import Compare, Query
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import (
    DATA,
    DOUBLE,
    DOUBLE_LIST,
    MISMATCH,
    QUERY,
    SERIES,
    DataType,
    Mismatch,
)
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Word, macro
from collectors.stacklang.text.faults import require
from collectors.stacklang.text.literals import format_double

_NANOS = 1e9


def _aggregated(item: object) -> AggregateExpr | GroupedData | Mismatch:
    data = DATA.extract(item)
    return data if isinstance(data, AggregateExpr | GroupedData) else MISMATCH


_AGGREGATED: DataType[AggregateExpr | GroupedData] = DataType("DataExpr", _aggregated)


def _percentiles(data: AggregateExpr | GroupedData, percents: tuple[float, ...]) -> Percentiles:
    # Counts of buckets add up, whatever aggregate was asked for.
    counts = as_sum(data.query).with_offset(data.offset)
    return Percentiles(GroupedData(counts, (PERCENTILE, *data.final_grouping)), percents)


def _sample_count(context: Context, query: Query, low: float, high: float) -> None:
    counted = as_sum(conjoin(query, range_query(low, high)))
    rewrite = NamedRewrite("sample-count", query, (low, high), counted, context.runner.reparse)
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


_QUERY = Parameter(type=QUERY, name="q", summary="a percentile timer or distribution summary")

PERCENTILE_WORDS = (
    Word(
        name="percentiles",
        action=takes(
            Parameter(type=_AGGREGATED, summary="bucket counts"),
            Parameter(type=DOUBLE_LIST, name="percentiles", summary="between 0 and 100"),
        ).leaves(_percentiles),
        outputs=(SERIES,),
        summary="Estimate percentiles of a timer or distribution summary that counts in buckets, "
        "a line each. `$percentile` shows the percentile in a legend.",
        examples=("name,requestLatency,:eq,(,25,50,90,)",),
    ),
    Word(
        name="sample-count",
        action=takes(
            _QUERY,
            Parameter(type=DOUBLE, name="min"),
            Parameter(type=DOUBLE, name="max"),
        ).does(_sample_count),
        outputs=(SERIES,),
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
        action=takes(Parameter(type=SERIES, summary="a distinct count sketch")).leaves(
            ApproxDistinct
        ),
        outputs=(SERIES,),
        summary="Estimate the number of distinct values in each step, with an error of about 13 %.",
        examples=("name,server.uniqueUsers,:eq",),
        keeps_style=True,
    ),
)
