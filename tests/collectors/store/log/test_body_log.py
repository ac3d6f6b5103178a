"""Bodies kept as they came: the same blocks as sample by sample, and after a restart as before."""

import shutil
import tempfile
from pathlib import Path

import cramjam
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.model import Batch
from collectors.prometheus_labels import prometheus_tags
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf
from collectors.store.log import records
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request, write_request_v2
from collectors.store.wire.walker import walk

NOW_MS = 1_700_000_000_000
STEP_MS = 10_000
FAR = 40 * 60_000

names = st.sampled_from(["temperature", "requests_total", "depth", "bytes_sum"])
times = st.integers(NOW_MS - FAR, NOW_MS)
numbers = st.one_of(st.integers(-5, 5).map(float), st.floats(-1e9, 1e9), st.just(float("nan")))
one_series = st.tuples(names, st.lists(st.tuples(times, numbers), min_size=1, max_size=40))
bodies = st.lists(st.lists(one_series, min_size=1, max_size=4), min_size=1, max_size=4)


def opened(path: Path, limits: Limits | None = None) -> MetricStore:
    return MetricStore.open(
        path, step_ms=STEP_MS, hot_window_ms=3_600_000, clock=ManualClock(NOW_MS), limits=limits
    )


def held(store: MetricStore) -> dict[str, list[float]]:
    window = Window(
        start_ms=NOW_MS // STEP_MS * STEP_MS - FAR, end_ms=NOW_MS + 2 * STEP_MS, step_ms=STEP_MS
    )
    lines = store.fetch(
        Fetch(
            query=AnyOf(),
            aggregate=Aggregate.ALL,
            group_by=(),
            consolidation=Consolidation.AVG,
            window=window,
        )
    )
    return {
        tags["name"]: np.nan_to_num(row, nan=-1e300).tolist()
        for tags, row in zip(lines.tags, lines.values, strict=True)
    }


def by_batch(store: MetricStore, body: list[tuple[str, list[tuple[int, float]]]]) -> None:
    samples = [(row, t, v) for row, (_, some) in enumerate(body) for t, v in some]
    store.write(
        Batch(
            series=[prometheus_tags([("__name__", name)]) for name, _ in body],
            series_index=np.array([row for row, _, _ in samples], dtype=np.int32),
            time_ms=np.array([t for _, t, _ in samples], dtype=np.int64),
            value=np.array([v for _, _, v in samples]),
            whole_resets=True,  # as remote write reads a counter that falls
        )
    )


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(sent=bodies)
def test_rows_and_columns_give_the_same_blocks_and_survive(
    sent: list[list[tuple[str, list[tuple[int, float]]]]],
) -> None:
    """A body logged as it came would be replayed to other values."""
    with tempfile.TemporaryDirectory() as scratch:
        rows, columns = opened(Path(scratch, "rows")), opened(Path(scratch, "columns"))
        for body in sent:
            labelled = [({"__name__": name}, samples) for name, samples in body]
            kept = rows.write_remote(write_request(labelled))
            assert kept.accepted == sum(len(samples) for _, samples in body)
            by_batch(columns, body)
        before = held(rows)
        assert before == held(columns)
        shutil.copytree(Path(scratch, "rows"), Path(scratch, "killed"))  # as a kill leaves it
        killed = opened(Path(scratch, "killed"))
        assert held(killed) == before
        for store in (rows, columns, killed):
            store.close()


@pytest.mark.parametrize("protocol", [1, 2])
def test_refused_rows_of_a_logged_body_stay_refused(tmp_path: Path, protocol: int) -> None:
    """After a restart, what was refused would be there."""
    samples = [(NOW_MS - i * STEP_MS, 1.5) for i in range(30, 0, -1)]
    good, long = {"__name__": "good"}, {"__name__": "long", "path": "x" * 300}
    sent = [(long, samples), (good, samples)]
    store = opened(tmp_path / "a")
    if protocol == 1:
        receipt = store.write_remote(write_request(sent))
    else:
        receipt = store.write_remote_v2(write_request_v2(sent, metric_type=2))
    assert (receipt.accepted, [r.count for r in receipt.rejected]) == (30, [30])
    kinds = [kind for kind, _ in store._durability._log.records()]
    assert kinds[-1] == (records.BODY if protocol == 1 else records.BODY_V2)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    again = opened(tmp_path / "b")
    assert held(again) == held(store)
    assert list(held(again)) == ["good"]
    store.close()
    again.close()


def test_refused_series_leave_no_words_behind(tmp_path: Path) -> None:
    """A flood of refused series would fill the memory with their texts."""
    store = opened(tmp_path, Limits(new_series_per_minute=10))
    for start in range(0, 1_000, 100):
        labels = [{"__name__": "flood", "id": f"value-{start + i}"} for i in range(100)]
        store.write_remote(write_request([(each, [(NOW_MS, 1.0)]) for each in labels]))
    assert store.series_count == 10
    assert len(store._hot.series.words) < 40
    store.close()


@pytest.mark.parametrize("time_ms", [0, 1, 2**35 - 1, 2**35, NOW_MS, 2**42 - 1, 2**42, 2**62, -5])
def test_every_time_is_read_as_it_was_written(time_ms: int) -> None:
    """Times of some length would be misread by the walker's fast path."""
    body = cramjam.snappy.decompress_raw(
        write_request([({"__name__": "a"}, [(time_ms, 2.5), (NOW_MS, -0.0)])])
    )
    columns = walk(np.frombuffer(bytes(body), dtype=np.uint8), seed=1)
    assert columns.time_ms.tolist() == [time_ms, NOW_MS]
    assert columns.value.tolist() == [2.5, -0.0]


def test_labels_of_a_series_that_expired_at_once_are_learned_anew(tmp_path: Path) -> None:
    """A series would keep the number of another that took its place."""
    store = opened(tmp_path)
    for time_ms, value in ((NOW_MS - FAR, float("nan")), (NOW_MS, 7.0)):
        store.write_remote(write_request([({"__name__": "late"}, [(time_ms, value)])]))
    assert max(held(store)["late"]) == 7.0
    store.close()


def test_a_record_of_another_version_does_not_keep_a_store_from_starting(tmp_path: Path) -> None:
    """After an update or a step back nothing would start."""
    store = opened(tmp_path / "a")
    store.write_remote(write_request([({"__name__": "kept"}, [(NOW_MS, 4.0)])]))
    log = store._durability._log
    log.append(records.SERIES, b'[[0, {"name": "old"}]]')
    log.append(records.BODY, records.encode_body(np.zeros(1, dtype=np.int32), b"not snappy"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    again = opened(tmp_path / "b")
    assert max(held(again)["kept"]) == 4.0
    store.close()
    again.close()
