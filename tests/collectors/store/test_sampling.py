"""PromQL over the store answers what it answers over the very samples that were sent."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.promql.evaluation.query import Answer, instant, over_range
from collectors.promql.notation.series import STALE
from collectors.promql.samples.columns import Source
from collectors.promql.samples.memory import MemorySource
from collectors.promql.vectors.values import Vector
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request

NOW_MS = 1_700_000_000_000
Series = list[tuple[Mapping[str, str], list[tuple[int, float]]]]

EXPRESSIONS = (
    "temperature",
    "requests_total",
    "requests_total offset 2m",
    'requests_total{job="a"}',
    '{job=~"(?i)A|b", __name__!="up"}',
    "rate(requests_total[1m])",
    "increase(requests_total[5m])",
    "irate(requests_total[2m])",
    "resets(requests_total[10m])",
    "sum by (job) (rate(requests_total[2m]))",
    "sum without (instance) (temperature)",
    "topk(2, temperature)",
    "avg_over_time(temperature[3m])",
    "count_over_time(temperature[97s])",
    "quantile_over_time(0.9, temperature[5m])",
    "deriv(temperature[5m])",
    "predict_linear(temperature[5m], 600)",
    "timestamp(temperature)",
    "ts_of_last_over_time(temperature[5m])",
    "max_over_time(rate(requests_total[1m])[5m:30s])",
    "temperature > 20 and on (instance) up == 1",
    "requests_total / on (instance) group_left () up",
    "absent(nothing)",
    "count(up)",
    "up @ 1699999800",
    'label_replace(up, "host", "$1", "instance", "(.*):.*")',
    'container_cpu{name="web"}',
)


def sent(*, aligned: bool) -> Series:
    """Return what scrapers of 15 s send in twenty minutes: jitter, gaps, restarts, an end."""
    chance = random.Random(14)
    series: Series = []
    for number in range(6):
        labels = {"job": "ab"[number % 2], "instance": f"h{number}:9100"}
        phase = 0 if aligned else chance.randrange(10_000)
        total, counter, gauge, up = 100.0 * number, [], [], []
        for scrape in range(80):
            jitter = 0 if aligned or number < 3 else chance.randrange(-4, 5)
            every_ms = 20_000 if aligned else 15_000
            time_ms = NOW_MS - 1_600_000 + scrape * every_ms + phase + jitter
            if time_ms > NOW_MS or (number == 2 and 30 < scrape < 37):
                continue
            total = chance.randrange(5) if scrape == 50 and number == 1 else total + chance.random()
            counter.append((time_ms, total))
            gauge.append((time_ms, 20 + chance.gauss(0, 3)))
            up.append((time_ms, 1.0))
        if number == 5:
            counter[-1] = (counter[-1][0], STALE)
            gauge[-1] = (gauge[-1][0], STALE)
        series += [
            ({"__name__": "requests_total", **labels}, counter),
            ({"__name__": "temperature", **labels}, gauge),
            ({"__name__": "up", **labels}, up),
        ]
    series.append(({"__name__": "container_cpu", "name": "web"}, [(NOW_MS - 30_000, 1.0)]))
    return series


def memory_of(series: Series) -> MemorySource:
    source = MemorySource()
    for labels, samples in series:
        values = np.array([value for _, value in samples])
        values.view(np.int64)[[n for n, (_, v) in enumerate(samples) if v is STALE]] = (
            0x7FF0000000000002
        )
        source.add(labels, [time for time, _ in samples], values)
    return source


def opened(path: Path) -> MetricStore:
    return MetricStore.open(
        path,
        step_ms=10_000,
        hot_window_ms=7_200_000,
        clock=ManualClock(NOW_MS),
        limits=Limits(),
    )


@pytest.fixture(params=["bulk", "scrapes"])
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["any time", "aligned"])
def series(request: pytest.FixtureRequest) -> Series:
    return sent(aligned=request.param)


@pytest.fixture
def store(tmp_path: Path, series: Series, how: str) -> Iterator[MetricStore]:
    store = opened(tmp_path)
    deliver(store, series, how)
    yield store
    store.close()


def deliver(store: MetricStore, series: Series, how: str) -> None:
    if how == "bulk":
        store.write_remote(write_request(series))
        return
    every = sorted({time // 10_000 for _, samples in series for time, _ in samples})
    for moment in every:
        due = [
            (labels, [s for s in samples if s[0] // 10_000 == moment]) for labels, samples in series
        ]
        store.write_remote(write_request([one for one in due if one[1]]))


def points(answer: Answer) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
    assert isinstance(answer.value, Vector)
    found = {}
    rows = zip(answer.value.labels.dicts(), answer.value.values, answer.value.present, strict=True)
    for labels, values, present in rows:
        steps = np.flatnonzero(present).tolist()
        found[tuple(sorted(labels.items()))] = {step: float(values[step]) for step in steps}
    return found


def assert_same(expression: str, source: Source, other: Source) -> None:
    for one, two in (
        (instant(expression, source, NOW_MS), instant(expression, other, NOW_MS)),
        (
            over_range(expression, source, NOW_MS - 1_200_000, NOW_MS, 47_000),
            over_range(expression, other, NOW_MS - 1_200_000, NOW_MS, 47_000),
        ),
    ):
        left, right = points(one), points(two)
        assert left.keys() == right.keys()
        for key, row in right.items():
            assert left[key].keys() == row.keys(), key
            for step, value in row.items():
                assert math.isclose(left[key][step], value, rel_tol=1e-12, abs_tol=1e-12), key


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_store_answers_as_the_samples_do(
    store: MetricStore, series: Series, expression: str
) -> None:
    """A dashboard would show other values than on the Prometheus that it came from."""
    assert_same(expression, store.samples(), memory_of(series))


def test_a_restart_changes_no_answer(tmp_path: Path) -> None:
    """After an upgrade counters would begin anew, and every rate with them."""
    series = sent(aligned=False)
    store = opened(tmp_path)
    deliver(store, series[:9], "scrapes")
    store.checkpoint()
    deliver(store, series[9:], "scrapes")
    store.close()
    again = opened(tmp_path)
    try:
        for expression in EXPRESSIONS:
            assert_same(expression, again.samples(), memory_of(series))
    finally:
        again.close()
