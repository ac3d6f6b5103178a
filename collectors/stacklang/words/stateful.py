"""Vocabulary ``stateful``: words that remember."""

from __future__ import annotations

from collectors.stacklang.expressions.stateful import (
    DelayExpr,
    RollingExpr,
    RollingMeanExpr,
    RunningExpr,
    SmoothingExpr,
    TrendExpr,
)
from collectors.stacklang.program.datatypes import DOUBLE, DURATION, INT, SERIES, WINDOW
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word, macro
from collectors.stacklang.words.line_word import line_word
from collectors.stacklang.words.math import WORDS as MATH_WORDS

_INPUT = Parameter(type=SERIES, summary="input time series")
_WINDOW = Parameter(type=WINDOW, name="n", summary="window, this datapoint included")
_SPS = ("name,sps,:eq,:sum,5",)
_POINTS_NOTE = "A number of datapoints covers more time when the step is larger."


def _rolling(name: str, summary: str, examples: tuple[str, ...] = _SPS) -> Word:
    rolled = takes(_INPUT, _WINDOW).leaves(lambda expr, window: RollingExpr(name, expr, window))
    return line_word(name, rolled, f"{summary} {_POINTS_NOTE}", examples)


def _running(name: str, summary: str, examples: tuple[str, ...]) -> Word:
    running = takes(_INPUT).leaves(lambda expr: RunningExpr(name, expr))
    return line_word(name, running, summary, examples)


def _smoothing(name: str, summary: str) -> Word:
    smoothed = takes(
        _INPUT,
        Parameter(type=INT, name="training", summary="datapoints before the first prediction"),
        Parameter(type=DOUBLE, name="alpha", summary="weight of a new value"),
        Parameter(type=DOUBLE, name="beta", summary="weight of a new change"),
    ).leaves(lambda expr, training, alpha, beta: SmoothingExpr(name, expr, training, alpha, beta))
    return line_word(name, smoothed, summary, ("name,requestsPerSecond,:eq,:sum,5,0.1,0.5",))


_PRESETS = (
    ("simple", "10,0.1,0.5"),
    ("fast", "10,0.1,0.02"),
    ("slower", "10,0.05,0.03"),
    ("slow", "10,0.03,0.04"),
)


def _preset(kind: str, speed: str, arguments: str) -> Word:
    name = f"{kind}-{speed}"
    return macro(
        name,
        f":dup,{arguments},:{kind},{name},:named-rewrite",
        parameters=(_INPUT,),
        outputs=(SERIES,),
        summary=f"`:{kind}` with settings for a {speed} reaction.",
        examples=("42",),
    )


# Named after the first alerting system at Netflix; a deviation counts if it is outside both bands.
_EPIC_SIGNAL = (
    "noise,:sset,minPercent,:sset,maxPercent,:sset,beta,:sset,alpha,:sset,trainingSize,:sset,"
    "line,:sset,"
    "pred,line,:get,trainingSize,:get,alpha,:get,beta,:get,:des,:set,"
    "minPredNoiseBound,pred,:get,noise,:get,:sub,:set,"
    "minPredPercentBound,pred,:get,1.0,:const,minPercent,:get,:const,:fsub,:fmul,:set,"
    "maxPredNoiseBound,pred,:get,noise,:get,:add,:set,"
    "maxPredPercentBound,pred,:get,2.0,:const,1.0,:const,maxPercent,:get,:const,:fsub,:fsub,"
    ":fmul,:set,"
    "line,:get,minPredNoiseBound,:get,:lt,line,:get,minPredPercentBound,:get,:lt,:and,"
    "line,:get,maxPredNoiseBound,:get,:gt,line,:get,maxPredPercentBound,:get,:gt,:and,"
    ":or"
)
EPIC_PARAMETERS = (
    _INPUT,
    Parameter(type=INT, name="training"),
    Parameter(type=DOUBLE, name="alpha"),
    Parameter(type=DOUBLE, name="beta"),
    Parameter(type=DOUBLE, name="maxPercent"),
    Parameter(type=DOUBLE, name="minPercent"),
    Parameter(type=DOUBLE, name="noise"),
)

WORDS = Vocabulary(
    name="stateful",
    depends_on=(MATH_WORDS,),
    words=(
        line_word(
            "delay",
            takes(_INPUT, Parameter(type=INT, name="n", summary="datapoints")).leaves(DelayExpr),
            f"The value some datapoints ago, to compare with. {_POINTS_NOTE}",
            ("name,requestsPerSecond,:eq,:sum,5",),
        ),
        _rolling(
            "rolling-count",
            "How many of the last datapoints are neither missing nor zero. "
            "Keeps alerts from firing on a single outlier: `80,:gt,5,:rolling-count,3,:gt`.",
            (":random,0.4,:gt,5",),
        ),
        _rolling("rolling-min", "The smallest of the last datapoints."),
        _rolling("rolling-max", "The largest of the last datapoints."),
        line_word(
            "rolling-mean",
            takes(_INPUT, _WINDOW, Parameter(type=INT, name="minNumValues")).leaves(
                RollingMeanExpr
            ),
            f"The mean of the last datapoints where enough of them are present. {_POINTS_NOTE}",
            ("name,sps,:eq,:sum,5,3",),
        ),
        _rolling("rolling-sum", "The sum of the last datapoints."),
        _smoothing(
            "des",
            "Double exponential smoothing: the value expected from those before. It depends on "
            "where the graph begins; `:sdes` does not.",
        ),
        _smoothing(
            "sdes",
            "Double exponential smoothing that is restarted at fixed times, so that it gives the "
            "same prediction wherever the graph begins.",
        ),
        line_word(
            "trend",
            takes(_INPUT, Parameter(type=DURATION, name="window")).leaves(TrendExpr),
            "A moving average over a length of time, missing values taken for zero. "
            "`:rolling-mean` leaves them out.",
            (":random,PT5M", ":random,20m"),
        ),
        _running(
            "integral",
            "The sum of everything since the graph begins. Use `:per-step` on a rate first.",
            ("1", "name,requestsPerSecond,:eq,:sum,:per-step"),
        ),
        _running(
            "cumulative-max",
            "The largest value since the graph begins.",
            ("1", "name,activeUsers,:eq,:sum"),
        ),
        macro(
            "approx-distinct-cumulative",
            ":dup,:cumulative-max,:approx-distinct,approx-distinct-cumulative,:named-rewrite",
            parameters=(_INPUT,),
            outputs=(SERIES,),
            summary="Estimate the number of distinct values since the graph begins.",
            examples=("name,server.uniqueUsers,:eq",),
        ),
        _running("derivative", "The change from step to step.", ("1", "1,:integral")),
        *(_preset("des", *preset) for preset in _PRESETS),
        *(_preset("sdes", *preset) for preset in _PRESETS),
        macro(
            "des-epic-signal",
            _EPIC_SIGNAL,
            parameters=EPIC_PARAMETERS,
            outputs=(SERIES,),
            summary="1 where a line is outside of both a percentage and an absolute band around "
            "its prediction.",
            examples=("name,sps,:eq,:sum,10,0.1,0.5,0.2,0.2,4",),
        ),
    ),
)
