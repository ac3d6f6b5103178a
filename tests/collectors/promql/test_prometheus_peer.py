"""The same samples in a real Prometheus and in the store: both answer the same.

Debian's Prometheus closes ranges at their left end, and Prometheus 3 opens them; no sample lies on
the end of a range here, so that it makes no difference.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from collectors.api.prometheus.routes import prometheus_routes
from collectors.api.work.workers import Workers
from collectors.clock import ManualClock
from collectors.receivers.testing.fakes import serve
from collectors.receivers.testing.prometheus import PROMETHEUS, eventually, run_prometheus
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request
from tests.collectors.promql import peer_templates

PROMTOOL = shutil.which("promtool")
HOUR_MS = 3_600_000
# Two hours ago, off any full second, so that no sample lies on the end of a range.
START_MS = int(time.time()) // 7_200 * 7_200_000 - 2 * HOUR_MS
END_MS = START_MS + HOUR_MS
Series = list[tuple[Mapping[str, str], list[tuple[int, float]]]]

pytestmark = [
    pytest.mark.skipif(
        PROMETHEUS is None or PROMTOOL is None, reason="prometheus is not installed (apt)"
    ),
    pytest.mark.processes,
    pytest.mark.patient,
]


def scraped() -> Series:
    """Return what two jobs of three instances told in an hour, every 15 seconds."""
    chance = random.Random(7)
    series: Series = []
    for job in ("web", "api"):
        for instance in "abc":
            labels = {"job": job, "instance": instance}
            times = range(START_MS + 137 + 1_000 * len(series), END_MS, 15_000)
            total, points = 0.0, []
            for number, at in enumerate(times):
                restarted = number == 100 and instance == "b"
                total = 0.0 if restarted else total + chance.randrange(9)
                points.append((at, total))
            series.append(({"__name__": "hits_total", **labels}, points))
            heat = [(at, 20 + round(chance.gauss(0, 4), 3)) for at in times]
            series.append(({"__name__": "heat", **labels, "zone": instance}, heat[:150]))
            counts = [0.0, 0.0, 0.0, 0.0]
            buckets: list[list[tuple[int, float]]] = [[], [], [], []]
            for at in times:
                slowest = chance.randrange(4)
                for bucket in range(4):
                    counts[bucket] += 1.0 if bucket >= slowest else 0.0
                    buckets[bucket].append((at, counts[bucket]))
            for bound, row in zip(("0.1", "0.5", "2.5", "+Inf"), buckets, strict=True):
                series.append(({"__name__": "lat_bucket", **labels, "le": bound}, row))
    return series


def bodies(series: Series) -> Iterator[bytes]:
    """Yield the samples as remote-write bodies, a quarter of an hour each, as a sender would."""
    for begin in range(START_MS, END_MS, HOUR_MS // 4):
        some = [
            (labels, [(at, value) for at, value in points if begin <= at < begin + HOUR_MS // 4])
            for labels, points in series
        ]
        yield write_request([(labels, points) for labels, points in some if points])


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Yield the addresses of Prometheus and of the store, which were sent the same bodies."""
    directory = tmp_path_factory.mktemp("peer")
    clock = ManualClock(END_MS)
    store = MetricStore.open(
        directory / "store", step_ms=10_000, hot_window_ms=3 * HOUR_MS, clock=clock
    )
    app = Starlette(routes=prometheus_routes(store, clock, Workers()))
    with serve(app) as url, run_prometheus(directory, lambda _: "{}") as peer:
        eventually(lambda: ready(peer))
        headers = {"content-encoding": "snappy", "content-type": "application/x-protobuf"}
        with httpx2.Client(trust_env=False, timeout=60) as http:
            for body in bodies(scraped()):
                store.write_remote(body)
                answer = http.post(f"{peer}/api/v1/write", content=body, headers=headers)
                assert answer.status_code in (200, 204), answer.text
        yield peer, url
    store.close()


def ready(url: str) -> bool:
    with httpx2.Client(trust_env=False, timeout=60) as http:
        return http.get(f"{url}/-/ready").status_code == 200


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    """Yield a client that keeps its connections."""
    with httpx2.Client(trust_env=False, timeout=60) as client:
        yield client


def ask(http: httpx2.Client, url: str, query: str, **form: Any) -> Any:
    path = "query_range" if "step" in form else "query"
    form = form or {"time": END_MS / 1000 - 600}
    answer = http.post(f"{url}/api/v1/{path}", data={"query": query, **form}).json()
    return answer.get("data") or {"error": answer["error"]}


def as_points(found: Any) -> dict[str, dict[float, float]]:
    if "error" in found:
        return {"error": {}}
    if found["resultType"] == "scalar":
        return {"": {found["result"][0]: float(found["result"][1])}}
    rows = {}
    for row in found["result"]:
        values = row.get("values") or [row["value"]]
        rows[json.dumps(row["metric"], sort_keys=True)] = {t: float(v) for t, v in values}
    return rows


def assert_same(http: httpx2.Client, peers: tuple[str, str], query: str, **form: Any) -> None:
    theirs, ours = (as_points(ask(http, peer, query, **form)) for peer in peers)
    assert ours.keys() == theirs.keys()
    for metric, points in theirs.items():
        assert ours[metric].keys() == points.keys(), metric
        for at, value in points.items():
            found = ours[metric][at]
            same = math.isclose(found, value, rel_tol=1e-9, abs_tol=1e-9)
            assert same or (math.isnan(found) and math.isnan(value)), (metric, at, found, value)


SELECTORS = st.sampled_from(
    ["hits_total", "heat", 'hits_total{job="web"}', 'heat{instance=~"a|b"}', 'heat{zone!="a"}']
)
RANGES = st.sampled_from(["1m", "90s", "5m", "20m"])
OFFSETS = st.sampled_from(["", "", " offset 3m", " offset -90s"])
OVER_TIME = st.sampled_from(
    ["rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets"]
    + [f"{what}_over_time" for what in ("avg", "min", "max", "sum", "count", "stddev")]
    + ["last_over_time", "present_over_time"]
)
LEAVES = st.one_of(
    st.builds(lambda s, o: s + o, SELECTORS, OFFSETS),
    st.builds(lambda f, s, r, o: f"{f}({s}[{r}]{o})", OVER_TIME, SELECTORS, RANGES, OFFSETS),
    st.builds(lambda s, r: f"quantile_over_time(0.7, {s}[{r}])", SELECTORS, RANGES),
    st.builds(lambda s, r: f"predict_linear({s}[{r}], 300)", SELECTORS, RANGES),
    st.builds(
        lambda s, r: f"max_over_time(rate({s}[2m])[{r}:30s] offset 7s500ms)", SELECTORS, RANGES
    ),
    st.builds(
        lambda q, by: f"histogram_quantile({q}, sum by (le{by}) (rate(lat_bucket[5m])))",
        st.sampled_from(["0.4371", "0.9137", "0"]),
        st.sampled_from(["", ", job", ", instance"]),
    ),
    st.sampled_from(["vector(1)", "absent(heat)", 'absent(nothing{a="b"})']),
)
GROUPED = st.sampled_from(["", " by (job)", " by (instance)", " without (instance, zone)"])


def _extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds(
            lambda a, g, e: f"{a}{g} ({e})",
            st.sampled_from(["sum", "avg", "min", "max", "count", "group", "stddev"]),
            GROUPED,
            inner,
        ),
        st.builds(lambda g, e: f"quantile{g} (0.3, {e})", GROUPED, inner),
        st.builds(
            lambda o, a, b: f"({a}) {o} ({b})",
            st.sampled_from(
                [
                    "+ on (job, instance)",
                    "/ ignoring (zone)",
                    "> bool on (job, instance)",
                    "<= on (job, instance)",
                    "and on (job)",
                    "or",
                    "unless on (instance)",
                    "* on (job) group_left",
                ]
            ),
            inner,
            inner,
        ),
        st.builds(
            lambda e, o, n: f"({e}) {o} {n}",
            inner,
            st.sampled_from(["+", "*", "/", "^", "%", ">", "!= bool"]),
            # No answer is exactly one of these, where rounding would decide.
            st.sampled_from(["2.0371", "0.4713", "20.0613"]),
        ),
        st.builds(
            lambda f, e: f"{f}({e})",
            st.sampled_from(["abs", "ceil", "floor", "ln", "sqrt", "sgn", "scalar", "-"]),
            inner,
        ),
        st.builds(lambda e: f'label_replace({e}, "x", "$1-y", "job", "(.).*")', inner),
        st.builds(lambda e: f"clamp({e}, 1, 21)", inner),
        st.builds(lambda e: f"round({e}, 0.25)", inner),
    )


EXPRESSIONS = st.recursive(LEAVES, _extended, max_leaves=4)
_QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


# No window begins before the samples do, where Debian's Prometheus extrapolates as it did in
# version 2; and no point of a subquery, which lie on full half minutes, lies on a window's end.
FORM = {"start": START_MS / 1000 + 1_571, "end": END_MS / 1000 - 60, "step": 120}
# A longer campaign: scripts/bench promql-peer.
EXAMPLES = int(os.environ.get("TOCSIN_PEER_EXAMPLES", "500"))


@given(query=EXPRESSIONS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 500,  # the gate asks the same each time
    suppress_health_check=_QUIET,
)
def test_generated_expressions_have_the_same_answers(
    http: httpx2.Client, peers: tuple[str, str], query: str
) -> None:
    """Somebody who moves here would see other numbers on the same dashboard."""
    assert_same(http, peers, query, **FORM)


def test_templates_have_the_same_answers(http: httpx2.Client, peers: tuple[str, str]) -> None:
    """A function that nobody generates would be wrong in silence."""
    every = list(peer_templates.expressions())
    chosen = every if EXAMPLES > 500 else every[::4]  # a quarter in the gate
    wrong = []
    for query in chosen:
        try:
            assert_same(http, peers, query, **FORM)
        except AssertionError as error:
            wrong.append(f"{query}: {str(error)[:200]}")
    assert wrong == []


def test_promtool_understands_our_answers(peers: tuple[str, str]) -> None:
    """Prometheus's own client would fail on an answer."""
    at = str(END_MS // 1000 - 600)
    for command in (
        ["instant", f"--time={at}", "URL", "sum by (job) (rate(hits_total[5m]))"],
        ["range", f"--start={at}", f"--end={int(at) + 60}", "--step=20s", "URL", "sum(heat)"],
        ["series", "--match=hits_total", f"--start={at}", f"--end={at}", "URL"],
        ["labels", "URL", "job"],
    ):
        theirs, ours = (_promtool(command, url) for url in peers)
        assert [_NUMBER.sub("N", line) for line in ours] == [
            _NUMBER.sub("N", line) for line in theirs
        ]
        # The last digit of a sum depends on the order in which its parts are added up.
        numbers = [[float(n) for n in _NUMBER.findall("\n".join(text))] for text in (ours, theirs)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-12)
        assert ours


_NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[+-]?\d+)?")


def _promtool(command: list[str], url: str) -> list[str]:
    arguments = [str(PROMTOOL), "query", *(url if part == "URL" else part for part in command)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return sorted(done.stdout.splitlines())
