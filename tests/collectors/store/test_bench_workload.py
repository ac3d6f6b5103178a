"""The bench sends what it says: every series, every step, in order, with replacements."""

from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.metrics.table import as_table, ratios
from benchmarks.metrics.workload import NAME, STEP_MS, WORKLOADS, Workload, write_bodies
from collectors.store.wire.label_parts import find_label_parts
from collectors.store.wire.remote_body import decode_body

FIGURES = {
    "samples_per_s": 300.0,
    "cpu_ns_per_sample": 10.0,
    "query_ms": {"group_by": 2.0, "filter": 1.0, "top_k": 1.0, "single_series": 1.0},
    "busy_query_p50_ms": 1.0,
    "busy_query_p99_ms": 2.0,
    "rss_mb": 50.0,
    "disk_bytes_per_sample": 1.0,
    "restart_s": 1.0,
}


def times_by_series(workload: Workload, directory: Path) -> dict[str, list[int]]:
    """Decode all bodies in sending order; instance -> times."""
    times: dict[str, list[int]] = {}
    for files in write_bodies(workload, directory).files:
        for path in files:
            body = decode_body(path.read_bytes(), max_bytes=1 << 26, seed=1)
            at = 0
            parts = find_label_parts(body.data, body.columns.labels)
            rows = parts.labels(list(range(len(parts.counts))))
            labels = [dict(row or ()) for row in rows]
            for series, count in zip(labels, body.columns.samples.tolist(), strict=True):
                assert series["__name__"] == NAME
                assert len(series) == 6
                sent = body.columns.time_ms[at : at + count].tolist()
                times.setdefault(series["instance"], []).extend(sent)
                at += count
    return times


@pytest.mark.parametrize("per_request", [1, 30])
def test_every_series_has_every_step(tmp_path: Path, per_request: int) -> None:
    """The benchmark would send less than it says."""
    workload = Workload(name="t", series=450, steps=60, per_request=per_request)
    times = times_by_series(workload, tmp_path)
    assert len(times) == 450
    for sent in times.values():
        assert len(sent) == 60
        assert all(later - earlier == STEP_MS for earlier, later in pairwise(sent))


def test_a_tenth_is_replaced_every_thirty_steps(tmp_path: Path) -> None:
    """The benchmark of churn would have none."""
    workload = Workload(name="t", series=100, steps=120, per_request=30, churn=0.1)
    times = times_by_series(workload, tmp_path)
    assert len(times) == 100 + 3 * 10
    assert sum(map(len, times.values())) == workload.samples


def test_scale_keeps_the_shape() -> None:
    """A small run would measure something else than a large one."""
    for workload in WORKLOADS:
        small = workload.scaled(0.001)
        assert (small.steps, small.churn, small.series) == (
            workload.steps,
            workload.churn,
            max(100, workload.series // 1000),
        )


def test_ratios_are_above_one_where_we_are_better() -> None:
    """A table of results would be read the wrong way round."""
    peer = FIGURES | {"samples_per_s": 100.0, "rss_mb": 25.0}
    results = {"w": {"samples": 1, "tocsin": FIGURES, "prometheus": peer}}
    found = ratios(results)["w vs prometheus"]
    assert (found["ingest"], found["memory"]) == (3.0, 0.5)
    absent = {"w": {"samples": 1, "tocsin": FIGURES, "victoria_metrics": {"absent": "not here"}}}
    assert ratios(absent) == {}
    table = as_table({"results": absent, "ratios": {}})
    assert "absent: not here" in table
