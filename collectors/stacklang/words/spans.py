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


def _word(name: str, summary: str, wanted: str, per: str = "") -> Word:
    """Return a word that makes lines of spans: one measure of them, or its ratio to another."""

    def make(context: Context, query: Query) -> None:
        made = _data(query, wanted)
        if per:
            made = BinaryExpr("div", made, _data(query, per))
        _push(context, name, query, made)

    return Word(
        name=name,
        action=takes(_QUERY).does(make),
        outputs=(SERIES,),
        summary=summary,
        examples=_EXAMPLES,
    )


def _push(context: Context, name: str, query: Query, made: SeriesExpr, *shown: object) -> None:
    context.push(NamedRewrite(name, query, shown, made, context.runner.reparse))


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
        _word("spans", f"How many spans there are a second. {_ENDED}", RATE),
        _word(
            "span-count", "How many spans there are in each step; a larger step has more.", COUNT
        ),
        _word("span-duration", "How long spans take on average, seconds.", TIME, per=SEEN),
        _word(
            "span-error-ratio",
            "The share of spans that failed, 0 to 1; no value where there are no spans.",
            ERRORS,
            per=SEEN,
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
