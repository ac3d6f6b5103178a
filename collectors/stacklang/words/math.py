"""Vocabulary ``math``: lines out of lines."""

from __future__ import annotations

import math
from datetime import UTC, tzinfo

import numpy as np

from collectors.stacklang.expressions.clock import RandomLine, TimeExpr, TimeSpan
from collectors.stacklang.expressions.math import (
    BinaryExpr,
    Clamp,
    Constant,
    PerStep,
    Renamed,
    UnaryExpr,
)
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.numeric.elementwise import apply_binary, apply_unary
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import DOUBLE, INT, SERIES, STRING
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.text.dates import parse_zone
from collectors.stacklang.words.aggregation import AGGREGATION_WORDS
from collectors.stacklang.words.data import WORDS as DATA_WORDS
from collectors.stacklang.words.grouping import COMMON_GROUP_BY, GROUP_BY
from collectors.stacklang.words.line_word import line_word
from collectors.stacklang.words.math_macros import MATH_MACROS
from collectors.stacklang.words.percentiles import PERCENTILE_WORDS
from collectors.stacklang.words.rewrites import NAMED_REWRITE_WORDS

_INPUT = Parameter(type=SERIES, summary="input time series")
_UNARY_EXAMPLES = ("0", "64", "-64")
_BINARY_EXAMPLES = (
    "name,sps,:eq,42",
    "name,sps,:eq,:sum,name,requestsPerSecond,:eq,:max,(,name,),:by",
)


def _time_span(context: Context, start: str, end: str) -> None:
    zone = context.variables.get("tz", UTC)
    known = zone if isinstance(zone, tzinfo) else parse_zone(str(zone))
    context.push(TimeSpan(start, end, known))


def _unary(name: str, summary: str) -> Word:
    def applied(expr: SeriesExpr) -> SeriesExpr:
        if isinstance(expr, Constant):
            return Constant(float(apply_unary(name, _scalar(expr))))
        return UnaryExpr(name, expr)

    return line_word(name, takes(_INPUT).leaves(applied), summary, _UNARY_EXAMPLES)


def _binary(name: str, summary: str) -> Word:
    def applied(left: SeriesExpr, right: SeriesExpr) -> SeriesExpr:
        if isinstance(left, Constant) and isinstance(right, Constant):
            return Constant(float(apply_binary(name, _scalar(left), _scalar(right))))
        return BinaryExpr(name, left, right)

    return line_word(name, takes(_INPUT, _INPUT).leaves(applied), summary, _BINARY_EXAMPLES)


def _clamp(name: str, summary: str) -> Word:
    clamped = takes(_INPUT, Parameter(type=DOUBLE, name="bound")).leaves(
        lambda expr, bound: Clamp(name, expr, bound)
    )
    return line_word(name, clamped, summary, ("name,sps,:eq,:sum,200e3",))


def _scalar(constant: Constant) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(constant.value, dtype=np.float64)


_SOURCES = (
    line_word(
        "const",
        takes(Parameter(type=DOUBLE, name="v")).leaves(Constant),
        "A line with the same value everywhere. A number alone means the same.",
        ("42",),
    ),
    line_word("pi", takes().leaves(lambda: Constant(math.pi)), "A line at 3.14159….", ("",)),
    line_word(
        "random",
        takes().leaves(RandomLine),
        "A line that looks random, between 0 and 1. It depends only on the time, so that it is the "
        "same in every graph.",
        ("",),
    ),
    line_word(
        "srandom",
        takes(Parameter(type=INT, name="seed")).leaves(RandomLine),
        "Like `:random`, another line for each seed.",
        ("42",),
    ),
    line_word(
        "time",
        takes(Parameter(type=STRING, name="mode")).leaves(TimeExpr),
        "A part of the time, in UTC: secondOfMinute, secondOfDay, minuteOfHour, minuteOfDay, "
        "hourOfDay, dayOfWeek, dayOfMonth, dayOfYear, monthOfYear, yearOfCentury, yearOfEra, "
        "a Java ChronoField, or the seconds, minutes, hours, days or weeks since the epoch.",
        ("hourOfDay", "HOUR_OF_DAY"),
    ),
    line_word(
        "time-span",
        takes(Parameter(type=STRING, name="s"), Parameter(type=STRING, name="e")).does(_time_span),
        "1 between two points in time, 0 elsewhere, for instance a maintenance window. "
        "The points can be relative to `gs` and `ge` (the graph's range), to each other "
        "(`s`, `e`), to `now` or `epoch`; the variable `tz` names the zone.",
        ("e-30m,ge", "2014-02-20T13:00,s%2B30m"),
    ),
)

_UNARY_WORDS = (
    _unary("abs", "The absolute value."),
    _unary("neg", "The value with the other sign."),
    _unary("sin", "The sine."),
    _unary("sqrt", "The square root."),
)

_BINARY_WORDS = (
    _binary("add", "`a + b`. A missing value counts as 0 if the other is present."),
    _binary("sub", "`a - b`. A missing value counts as 0 if the other is present."),
    _binary("mul", "`a * b`."),
    _binary("div", "`a / b`, where `0 / 0` is 0 and anything else over 0 is missing."),
    _binary("pow", "`a` to the power of `b`."),
    _binary("gt", "1 where `a > b`, 0 elsewhere, also where a value is missing."),
    _binary("ge", "1 where `a >= b`, 0 elsewhere, also where a value is missing."),
    _binary("lt", "1 where `a < b`, 0 elsewhere, also where a value is missing."),
    _binary("le", "1 where `a <= b`, 0 elsewhere, also where a value is missing."),
    _binary("fadd", "`a + b` in floating point: missing if either is missing."),
    _binary("fsub", "`a - b` in floating point: missing if either is missing."),
    _binary("fmul", "`a * b` in floating point."),
    _binary("fdiv", "`a / b` in floating point: `x / 0` is infinite."),
    _binary("and", "1 where both are present and not zero, 0 elsewhere."),
    _binary("or", "1 where either is present and not zero, 0 elsewhere."),
)

WORDS = Vocabulary(
    name="math",
    depends_on=(DATA_WORDS,),
    words=(
        line_word(
            "as",
            takes(
                _INPUT,
                Parameter(type=STRING, name="original"),
                Parameter(type=STRING, name="replacement"),
            ).leaves(Renamed),
            "Give a tag key another name, for instance to combine lines whose keys differ.",
            ("name,sps,:eq,(,nf.cluster,),:by,nf.cluster,c",),
        ),
        GROUP_BY,
        *_SOURCES,
        COMMON_GROUP_BY,
        *NAMED_REWRITE_WORDS,
        _clamp("clamp-min", "The value, or the bound where the value is smaller."),
        _clamp("clamp-max", "The value, or the bound where the value is larger."),
        *_UNARY_WORDS,
        line_word(
            "per-step",
            takes(_INPUT).leaves(PerStep),
            "A rate per second turned into an amount per step.",
            _UNARY_EXAMPLES,
        ),
        *_BINARY_WORDS,
        *AGGREGATION_WORDS,
        *PERCENTILE_WORDS,
        *MATH_MACROS,
    ),
)
