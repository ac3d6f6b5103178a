"""Vocabulary ``span``: lines made of spans as they are kept, by any of their attributes."""

from __future__ import annotations

from collectors.stacklang.expressions.data import as_sum
from collectors.stacklang.expressions.math import BinaryExpr
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.lines.span_data import (
    COUNT,
    ERRORS,
    PERCENTILE,
    RATE,
    SEEN,
    TIME,
    of_spans,
)
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import DOUBLE, QUERY, SERIES
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.text.faults import require
from collectors.stacklang.text.literals import format_double
from collectors.stacklang.words.math import WORDS as MATH_WORDS

_QUERY = Parameter(
    type=QUERY,
    name="q",
    summary="which spans: `service`, `name`, `kind` (`server`, `client`, …), `status` (`ok`, "
    "`error`, `unset`), or any attribute of the span, else of its resource",
)
_EXAMPLES = ("service,checkout,:eq", "name,GET /cart,:eq,kind,server,:eq,:and")


def _data(query: Query, wanted: str) -> SeriesExpr:
    return as_sum(of_spans(query, wanted))


def _push(context: Context, name: str, query: Query, made: SeriesExpr, *shown: object) -> None:
    context.push(NamedRewrite(name, query, shown, made, context.runner.reparse))


def _spans(context: Context, query: Query) -> None:
    _push(context, "spans", query, _data(query, RATE))


def _count(context: Context, query: Query) -> None:
    _push(context, "span-count", query, _data(query, COUNT))


def _duration(context: Context, query: Query) -> None:
    mean = BinaryExpr("div", _data(query, TIME), _data(query, SEEN))
    _push(context, "span-duration", query, mean)


def _error_ratio(context: Context, query: Query) -> None:
    ratio = BinaryExpr("div", _data(query, ERRORS), _data(query, SEEN))
    _push(context, "span-error-ratio", query, ratio)


def _percentile(context: Context, query: Query, percent: float) -> None:
    require(0.0 <= percent <= 100.0, f"percentile {format_double(percent)} is not in 0 to 100")
    made = _data(query, f"{PERCENTILE}{format_double(percent)}")
    _push(context, "span-percentile", query, made, percent)


_ENDED = "Spans count in the step in which they ended, each for as many as it stands for where its "
_ENDED += (
    "sender keeps only some. A step with spans of the `service`, `name` and `kind` asked for of "
)
_ENDED += "which none matches the rest has 0, one without any has no value."

WORDS = Vocabulary(
    name="span",
    depends_on=(MATH_WORDS,),
    words=(
        Word(
            name="spans",
            action=takes(_QUERY).does(_spans),
            outputs=(SERIES,),
            summary=f"How many spans there are a second. {_ENDED}",
            examples=_EXAMPLES,
        ),
        Word(
            name="span-count",
            action=takes(_QUERY).does(_count),
            outputs=(SERIES,),
            summary="How many spans there are in each step; a larger step has more.",
            examples=_EXAMPLES,
        ),
        Word(
            name="span-duration",
            action=takes(_QUERY).does(_duration),
            outputs=(SERIES,),
            summary="How long spans take on average, seconds.",
            examples=_EXAMPLES,
        ),
        Word(
            name="span-error-ratio",
            action=takes(_QUERY).does(_error_ratio),
            outputs=(SERIES,),
            summary="The share of spans that failed, 0 to 1; no value where there are no spans.",
            examples=_EXAMPLES,
        ),
        Word(
            name="span-percentile",
            action=takes(
                _QUERY, Parameter(type=DOUBLE, name="p", summary="between 0 and 100")
            ).does(_percentile),
            outputs=(SERIES,),
            summary="A percentile of how long spans take, seconds: the duration of a span, "
            "not an estimate. `:by` makes one of each group.",
            examples=("service,checkout,:eq,99",),
        ),
    ),
)
