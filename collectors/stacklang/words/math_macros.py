"""Words of ``math`` that are programs of other words."""

from __future__ import annotations

from collectors.stacklang.program.datatypes import DATA, QUERY, SERIES, DataType
from collectors.stacklang.program.inputs import Parameter
from collectors.stacklang.program.word import Word, macro

_TOTAL = "statistic,(,totalTime,totalAmount,),:in,:sum"
_COUNT = "statistic,count,:eq,:sum"
_GROUPED = ("name,sps,:eq,(,nf.cluster,),:by",)


def _over(
    name: str, type_: DataType[object], body: str, summary: str, examples: tuple[str, ...]
) -> Word:
    return macro(
        name,
        body,
        parameters=(Parameter(type=type_, summary="input"),),
        outputs=(SERIES,),
        summary=summary,
        examples=examples,
    )


def _trigonometric(name: str, body: str, summary: str) -> Word:
    return _over(name, SERIES, body, summary, ("0", "64", "-64"))


MATH_MACROS = (
    _over(
        "avg",
        SERIES,
        ":dup,:dup,:sum,:swap,:count,:div,avg,:named-rewrite",
        "The average over series or lines.",
        (*_GROUPED, "name,sps,:eq,1h,:offset"),
    ),
    _over(
        "stddev",
        SERIES,
        # sqrt(n * sum(x²) - sum(x)²) / n; adding zero first makes lines of a bare query.
        ":dup,0,:fadd,:dup,:count,:over,:dup,:mul,:sum,:mul,:over,:sum,:dup,:mul,:sub,:swap,"
        ":count,:dup,:mul,:div,:sqrt,stddev,:named-rewrite",
        "The standard deviation over lines.",
        _GROUPED,
    ),
    _over(
        "pct",
        SERIES,
        ":dup,:dup,:sum,:div,100,:mul,pct,:named-rewrite",
        "Each line's share of the sum of all lines, in percent.",
        _GROUPED,
    ),
    _over(
        "dist-avg",
        QUERY,
        f":dup,{_TOTAL},{_COUNT},:div,:swap,:cq,dist-avg,:named-rewrite",
        "The mean of a timer or distribution summary.",
        ("name,playback.startLatency,:eq",),
    ),
    _over(
        "dist-max",
        QUERY,
        ":dup,statistic,max,:eq,:max,:swap,:cq,dist-max,:named-rewrite",
        "The maximum of a timer or distribution summary.",
        ("name,playback.startLatency,:eq",),
    ),
    _over(
        "dist-stddev",
        QUERY,
        f":dup,{_COUNT},statistic,totalOfSquares,:eq,:sum,:mul,"
        "statistic,(,totalAmount,totalTime,),:in,:sum,:dup,:mul,:sub,"
        f"{_COUNT},:dup,:mul,:div,:sqrt,:swap,:cq,dist-stddev,:named-rewrite",
        "The standard deviation of a timer or distribution summary.",
        ("name,playback.startLatency,:eq",),
    ),
    _over(
        "median",
        DATA,
        "(,50,),:percentiles",
        "The 50th percentile of a timer or distribution summary.",
        ("name,requestLatency,:eq",),
    ),
    _trigonometric("cos", ":pi,2,:div,:swap,:sub,:sin", "The cosine."),
    _trigonometric("tan", ":dup,:sin,:swap,:cos,:div", "The tangent."),
    _trigonometric("cot", ":dup,:cos,:swap,:sin,:div", "The cotangent."),
    _trigonometric("sec", "1,:swap,:cos,:div", "The secant."),
    _trigonometric("csc", "1,:swap,:sin,:div", "The cosecant."),
)
