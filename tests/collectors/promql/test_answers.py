"""Answers to expressions over series in the notation of rule tests."""

from __future__ import annotations

import pytest

from collectors.promql.evaluation.query import instant
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.parsing import parse
from collectors.promql.language.printing import printed
from collectors.promql.notation.series import read_series
from collectors.promql.samples.memory import MemorySource
from collectors.promql.vectors.values import Vector

SERIES = """
a{i="1"} 0+1x10
a{i="2"} 0+2x10
b{i="1", t="x"} 0+10x10
b{i="3", t="y"} 5x10
jump_total 0 0 0 10 10 10 10 10 10 10 10
fall_total 0 10 20 5 15 25 35 45 55 65 75
target_info{job="j", instance="h", version="7"} 1x10
work{job="j", instance="h"} 3x10
work{job="j", instance="other"} 4x10
"""

ANSWERS = {
    # A missing side is filled, for one side or both.
    "a + ignoring (t) fill (100) b": {"i=1": 110.0, "i=2": 120.0, "i=3": 105.0},
    "a + on (i) fill_right (1) b": {"i=1": 110.0, "i=2": 21.0},
    "b - on (i) group_left fill_right (0) a": {"i=1,t=x": 90.0, "i=3,t=y": 5.0},
    # An anchored range begins with the last sample before it; nothing is extrapolated.
    "increase(jump_total[7m30s] anchored)": {"": 10.0},
    "increase(fall_total[2m] anchored)": {"": 20.0},
    "increase(fall_total[90s] smoothed)": {"": 15.0},
    "changes(jump_total[8m] anchored)": {"": 1.0},
    # Durations may be computed.
    "count_over_time(a{i='1'}[1m * 3])": {"i=1": 3.0},
    "a{i='1'} offset (2m + 60s)": {"__name__=a,i=1": 7.0},
    # Labels of an info metric come to the series that it tells of.
    "info(work)": {
        "__name__=work,instance=h,job=j,version=7": 3.0,
        "__name__=work,instance=other,job=j": 4.0,
    },
    'info(work, {version="7"})': {"__name__=work,instance=h,job=j,version=7": 3.0},
    "count(limit_ratio(0.4, a) or limit_ratio(-0.6, a))": {"": 2.0},
    "count(limitk(1, a))": {"": 1.0},
    'count_values("v", b)': {"v=100": 1.0, "v=5": 1.0},
    "max_of(1, 2) + min_of(3, 4) + vector(0)": {"": 5.0},
    "a and on (i) b": {"__name__=a,i=1": 10.0},
    "sum(a) by (i) > bool 15": {"i=1": 0.0, "i=2": 1.0},
    "bottomk(1, a)": {"__name__=a,i=1": 10.0},
    "absent(a{i='9', x=~'y'})": {"i=9": 1.0},
}


def answered(text: str) -> dict[str, float]:
    source = MemorySource()
    for line in SERIES.strip().splitlines():
        series = read_series(line)
        source.add(series.labels, [60_000 * n for n in range(len(series.values))], series.values)
    value = instant(text, source, 600_000).value
    assert isinstance(value, Vector)
    names = [",".join(f"{k}={v}" for k, v in one.items()) for one in value.labels.dicts()]
    return dict(zip(names, value.values[:, 0].tolist(), strict=True))


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer(text: str) -> None:
    """A panel would show something else than its author meant."""
    assert answered(text) == pytest.approx(ANSWERS[text])


@pytest.mark.parametrize("text", ANSWERS)
def test_what_is_formatted_means_the_same(text: str) -> None:
    """Saving a formatted rule would change it."""
    written = printed(parse(text))
    assert printed(parse(written)) == written
    assert answered(written) == pytest.approx(ANSWERS[text])


REFUSED = {
    "b + on () a": "found duplicate series for the match group {} on the right hand-side",
    "a + on () group_left b": "many-to-many matching not allowed",
    "avg_over_time(a[5m] anchored)": "anchored modifier can only be used with: rate, increase",
    "a smoothed": "known for range selectors only",
    "x[step()]": "duration must be greater than 0",
    "topk(1e30, a)": "overflows int64",
    "double_exponential_smoothing(a[5m], 2, 0.1)": "invalid smoothing factor",
    "label_replace(a, 'i', 'same', 'i', '.*')": "same labelset",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_has_no_answer_says_why(text: str) -> None:
    """Whoever wrote it would see an empty panel, or a wrong one."""
    with pytest.raises(PromqlError) as raised:
        answered(text)
    assert REFUSED[text] in raised.value.message
