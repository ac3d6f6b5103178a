"""Templates of expressions that every engine of PromQL must answer alike, and what fills them.

``heat`` is a gauge with gaps, ``hits_total`` a counter that restarts, ``lat_bucket`` a histogram.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

FILLS: dict[str, tuple[str, ...]] = {
    "number": ("42", "0.12", "1.23e-6", "0x3d", "Inf", "-Inf", "NaN"),
    "selector": (
        "heat",
        'heat{job="web"}',
        'heat{job!="web"}',
        'heat{instance=~"a|c"}',
        'heat{instance!~".*b"}',
        'heat{nothing=""}',
        'heat{nothing=~".*"}',
        '{__name__="heat"}',
        '{__name__=~"heat|hits_total", job="api"}',
        "nothing_there",
    ),
    "range": ("1m", "95s", "5m", "12m", "24m"),
    "offset": ("1m", "-1m", "7m30s", "1s500ms"),
    "aggregate": ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"),
    "grouping": ("by ()", "by (job)", "by (job, nothing)", "without ()", "without (instance)"),
    "k": ("1", "2", "7"),
    "q": ("-0.5", "0.1", "0.75", "1", "90"),
    "arithmetic": ("+", "-", "*", "/", "%", "^"),
    "comparison": ("==", "!=", "<", ">", "<=", ">="),
    "over_time": (
        *("sum", "avg", "min", "max", "count", "stddev", "stdvar", "absent", "last", "present"),
    ),
    "counter": ("rate", "increase", "irate", "resets", "changes"),
    "gauge": ("delta", "idelta", "deriv", "changes"),
    "simple": (
        *("abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "round", "sgn"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "deg", "rad"),
    ),
    "calendar": (
        *("day_of_month", "day_of_week", "day_of_year", "days_in_month"),
        *("hour", "minute", "month", "year"),
    ),
}
TEMPLATES = (
    "{number}",
    "{selector}",
    "{selector} offset {offset}",
    "-{selector}",
    "heat{{job='web'}}[5m:1m]",
    "time()",
    "pi()",
    "1 {arithmetic} 2 {arithmetic} 3",
    "1 {comparison} bool 2",
    "{aggregate}(heat)",
    "{aggregate} {grouping} (heat)",
    "{aggregate} {grouping} (rate(hits_total[5m]))",
    "topk({k}, heat)",
    "bottomk by (job) ({k}, heat)",
    "quantile({q}, heat)",
    "quantile by (job) ({q}, heat)",
    "count_values('value', round(heat))",
    "heat {arithmetic} 2.5",
    "2.5 {arithmetic} heat",
    "heat {comparison} 20",
    "20 {comparison} bool heat",
    "heat {arithmetic} on (job, instance) hits_total",
    "heat {arithmetic} ignoring (zone) hits_total",
    "heat {comparison} bool on (job, instance) group_left () sum by (job, instance) (hits_total)",
    "sum by (job) (heat) {arithmetic} on (job) group_right (zone) heat",
    "heat and on (job) hits_total{{job='web'}}",
    "heat or sum by (job) (hits_total)",
    "heat unless on (instance) hits_total{{instance='a'}}",
    "{over_time}_over_time({selector}[{range}])",
    "quantile_over_time({q}, heat[{range}])",
    "{counter}(hits_total[{range}])",
    "{gauge}(heat[{range}] offset {offset})",
    "predict_linear(heat[{range}], 600)",
    "timestamp({selector})",
    "timestamp(timestamp(heat))",
    "{simple}(heat)",
    "{simple}(-heat)",
    "{calendar}()",
    "{calendar}(heat * 1e8)",
    "round(heat, 0.7)",
    "clamp(heat, 15, 21)",
    "clamp_min(heat, {number})",
    "clamp_max(heat, {number})",
    "label_replace(heat, 'to', 'on-$1', 'instance', '(.*)')",
    "label_replace(heat, 'to', '$2', 'instance', 'nothing')",
    "label_join(heat, 'to', '-', 'job', 'instance')",
    "sum by (to) (label_join(heat, 'to', '-', 'job', 'zone'))",
    "absent({selector})",
    "absent_over_time({selector}[{range}])",
    "scalar(sum(heat)) {arithmetic} vector(1)",
    "histogram_quantile({q}, lat_bucket)",
    "histogram_quantile({q}, sum by (le, job) (rate(lat_bucket[5m])))",
    "{over_time}_over_time(rate(hits_total[5m])[{range}:1m])",
    "max_over_time((heat > 20)[{range}:30s] offset 7s)",
    "heat @ end() - heat @ start()",
    "rate(hits_total[{range}] @ end())",
    "sort_desc(sum by (job) (heat))",
    "vector({number})",
)
_HOLE = re.compile(r"\{(\w+)\}")


def expressions() -> Iterator[str]:
    """Yield every expression that the templates give."""
    for template in TEMPLATES:
        holes = list(dict.fromkeys(_HOLE.findall(template.replace("{{", "").replace("}}", ""))))
        for filling in itertools.product(*(FILLS[hole] for hole in holes)):
            yield template.format(**dict(zip(holes, filling, strict=True)))
