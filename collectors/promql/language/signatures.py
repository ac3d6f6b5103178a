"""What each function takes and returns."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.promql.language.nodes import ValueKind

_LETTERS = {
    "s": ValueKind.SCALAR,
    "v": ValueKind.VECTOR,
    "m": ValueKind.MATRIX,
    "t": ValueKind.STRING,
}


@dataclass(frozen=True, slots=True)
class Signature:
    """Arguments and result of a function.

    ``optional`` is how many of the last arguments may be left out; -1 for a last one that may be
    repeated any number of times, or be left out.
    """

    args: tuple[ValueKind, ...]
    result: ValueKind
    optional: int = 0


def _signature(text: str) -> Signature:
    """Read ``vs→v``; ``?`` ends an argument that may be missing, ``*`` one that may be repeated."""
    given, result = text.split("→")
    optional = -1 if "*" in given else given.count("?")
    args = tuple(_LETTERS[letter] for letter in given if letter in _LETTERS)
    return Signature(args, _LETTERS[result], optional)


_OVER_TIME = (
    "absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta "
    "increase irate last_over_time mad_over_time max_over_time min_over_time present_over_time "
    "rate resets stddev_over_time stdvar_over_time sum_over_time ts_of_first_over_time "
    "ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time"
)
_EACH_VALUE = (
    "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg "
    "histogram_count histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad sgn sin "
    "sinh sort sort_desc sqrt tan tanh timestamp"
)
_OF_TIME = "day_of_month day_of_week day_of_year days_in_month hour minute month year"
_CONSTANTS = "end pi range start step time"

SIGNATURES: dict[str, Signature] = {
    **{name: _signature("m→v") for name in _OVER_TIME.split()},
    **{name: _signature("v→v") for name in _EACH_VALUE.split()},
    **{name: _signature("v?→v") for name in _OF_TIME.split()},
    **{name: _signature("→s") for name in _CONSTANTS.split()},
    "clamp": _signature("vss→v"),
    "clamp_max": _signature("vs→v"),
    "clamp_min": _signature("vs→v"),
    "double_exponential_smoothing": _signature("mss→v"),
    "histogram_fraction": _signature("ssv→v"),
    "histogram_quantile": _signature("sv→v"),
    "histogram_quantiles": _signature("vts*→v"),
    "info": _signature("vv?→v"),
    "label_join": _signature("vttt*→v"),
    "label_replace": _signature("vtttt→v"),
    "max_of": _signature("ss→s"),
    "min_of": _signature("ss→s"),
    "predict_linear": _signature("ms→v"),
    "quantile_over_time": _signature("sm→v"),
    "round": _signature("vs?→v"),
    "scalar": _signature("v→s"),
    "sort_by_label": _signature("vt*→v"),
    "sort_by_label_desc": _signature("vt*→v"),
    "vector": _signature("s→v"),
}
"""Every function that is known, by its name."""

PARAM_KINDS = {
    "topk": ValueKind.SCALAR,
    "bottomk": ValueKind.SCALAR,
    "limitk": ValueKind.SCALAR,
    "limit_ratio": ValueKind.SCALAR,
    "quantile": ValueKind.SCALAR,
    "count_values": ValueKind.STRING,
}
"""What aggregations with a parameter take for it."""

AGGREGATIONS = frozenset(PARAM_KINDS) | {
    "sum",
    "avg",
    "count",
    "min",
    "max",
    "group",
    "stddev",
    "stdvar",
}
