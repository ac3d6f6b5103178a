"""Remote write 2.0 in columns, and what 1.0 says of metrics beside its samples."""

from collections.abc import Iterator
from pathlib import Path

import cramjam
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.clock import ManualClock
from collectors.errors import DecodeError, TooLargeError
from collectors.metric_kinds import MetricKinds, MetricType
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import (
    field,
    sample_field,
    varint,
    write_request,
    write_request_v2,
)
from collectors.store.wire.remote_body import decode_body_v2
from collectors.store.wire.walker_v2 import walk_v2

NOW_MS = 1_700_000_000_000
STEP_MS = 10_000
COUNTER, GAUGE, GAUGE_HISTOGRAM = 1, 2, 4

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
label_sets = st.dictionaries(texts, texts, max_size=4)
sample_lists = st.lists(
    st.tuples(st.integers(-(1 << 62), 1 << 62), st.floats(allow_nan=False)), max_size=4
)


def opened(path: Path) -> MetricStore:
    return MetricStore.open(
        path, step_ms=STEP_MS, hot_window_ms=3_600_000, clock=ManualClock(NOW_MS)
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricStore]:
    store = opened(tmp_path)
    yield store
    store.close()


def line(store: MetricStore, name: str) -> list[float]:
    """Return the sum over the last three steps."""
    window = Window(start_ms=NOW_MS - 20_000, end_ms=NOW_MS, step_ms=STEP_MS)
    request = Fetch(
        query=Equal("name", name),
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=window,
    )
    values: list[float] = store.fetch(request).values[0].tolist()
    return values


def rising(*, from_ms: int = NOW_MS - 30_000) -> list[tuple[int, float]]:
    """Return a count that grows by 50 every step."""
    return [(at, 50.0 * n) for n, at in enumerate(range(from_ms, NOW_MS + 1, STEP_MS), start=1)]


def about(told: dict[str, int]) -> bytes:
    """Return a 1.0 request that tells types and has no samples, as Prometheus sends them."""
    rows = [
        field(3, b"\x08" + varint(kind) + field(2, name.encode())) for name, kind in told.items()
    ]
    return bytes(cramjam.snappy.compress_raw(b"".join(rows)))


@settings(max_examples=100, deadline=None)
@given(series=st.lists(st.tuples(label_sets, sample_lists), max_size=5))
def test_columns_hold_what_was_encoded(
    series: list[tuple[dict[str, str], list[tuple[int, float]]]],
) -> None:
    """The compiled decoder would read other values than were sent."""
    body = decode_body_v2(write_request_v2(series), max_bytes=1 << 20, seed=7)
    columns = body.columns
    assert columns.time_ms.tolist() == [t for _, samples in series for t, _ in samples]
    assert columns.value.tolist() == [v for _, samples in series for _, v in samples]
    labels = body.labels(np.arange(len(series)))
    rows = labels.parts.labels(list(range(len(series))))
    assert [sorted(row or ()) for row in rows] == [sorted(one.items()) for one, _ in series]


def test_the_same_labels_have_one_hash_in_every_request() -> None:
    """Numbers of symbols differ from request to request; the type is part of what is hashed."""
    first, second = {"__name__": "a", "job": "x"}, {"__name__": "b", "job": "x"}

    def hashes(*labels: dict[str, str], metric_type: int = 0) -> list[bytes]:
        body = write_request_v2([(one, [(1, 1.0)]) for one in labels], metric_type=metric_type)
        decoded = decode_body_v2(body, max_bytes=1 << 20, seed=7)
        return [bytes(row) for row in decoded.columns.hash]

    one, two = hashes(first, second)
    assert hashes(second, first) == [two, one]
    assert len({one, two, *hashes(first, second, metric_type=COUNTER)}) == 4


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=120))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    """A stranger's bytes would make the decoder read beyond its body."""
    for body in (data, bytes(cramjam.snappy.compress_raw(data))):
        try:
            remote = decode_body_v2(body, max_bytes=1 << 16, seed=7)
        except (DecodeError, TooLargeError):
            continue
        columns = remote.columns
        labels = remote.labels(np.arange(len(columns.hash)))
        assert len(labels.rows) + len(labels.refused) == len(columns.hash)
        assert columns.samples.sum() == len(columns.time_ms)


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 200), byte=st.integers(0, 255), cut=st.integers(0, 200))
def test_damaged_requests_are_decoded_or_refused(at: int, byte: int, cut: int) -> None:
    """A damaged length would make the decoder read beyond its body."""
    whole = write_request_v2([({"__name__": "up"}, [(1, 2.0), (3, 4.0)])] * 2, start_ms=9)
    request = bytearray(cramjam.snappy.decompress_raw(whole))
    request[at % len(request)] = byte
    try:
        columns, _ = walk_v2(np.frombuffer(bytes(request[: cut or None]), dtype=np.uint8), seed=7)
    except DecodeError:
        return
    assert columns.samples.sum() == len(columns.time_ms)
    assert columns.ref_counts.sum() == len(columns.refs)


def test_references_one_by_one_mean_the_same(store: MetricStore) -> None:
    """A sender need not pack them."""
    symbols = b"".join(field(4, text) for text in (b"", b"__name__", b"single"))
    refs = b"\x08\x01\x08\x02"
    body = symbols + field(5, refs + sample_field(NOW_MS, 3.0))
    assert store.write_remote_v2(bytes(cramjam.snappy.compress_raw(body))).accepted == 1
    assert line(store, "single")[-1] == 3.0


def test_wrong_references_keep_the_rest(store: MetricStore) -> None:
    """One reference beyond the table would lose the request, or crash."""
    symbols = b"".join(field(4, text) for text in (b"", b"__name__", b"good"))
    rows = [b"\x01\x02", b"\x01", b"\x01\x07"]
    series = b"".join(field(5, field(1, refs) + sample_field(NOW_MS, 3.0)) for refs in rows)
    receipt = store.write_remote_v2(bytes(cramjam.snappy.compress_raw(symbols + series)))
    assert receipt.accepted == 1
    assert [(r.reason, r.count) for r in receipt.rejected] == [("badReferences", 1)] * 2


def test_a_type_decides_and_protocols_share_series(store: MetricStore) -> None:
    """The same series by two protocols would be two, or of another kind."""
    labels = {"__name__": "hits", "job": "x"}
    store.write_remote_v2(write_request_v2([(labels, rising())], metric_type=COUNTER))
    assert line(store, "hits") == [5.0, 5.0, 5.0]
    depth = {"__name__": "depth_total"}
    store.write_remote_v2(write_request_v2([(depth, rising())], metric_type=GAUGE))
    store.write_remote(about({"depth_total": GAUGE}))
    store.write_remote(write_request([(depth, [(NOW_MS, 500.0)])]))
    assert (line(store, "depth_total")[-1], store.series_count) == (500.0, 2)


def test_a_start_gives_one_zero(store: MetricStore) -> None:
    """Sent with every request, it counts once; a later start is a reset."""
    labels = {"__name__": "hits"}
    began_ms = NOW_MS - 30_000
    for at, value in rising(from_ms=NOW_MS - 20_000):
        body = write_request_v2([(labels, [(at, value)])], metric_type=COUNTER, start_ms=began_ms)
        assert store.write_remote_v2(body).accepted == 1
    assert line(store, "hits") == [5.0, 5.0, 5.0]
    again = store._starts.unseen(np.zeros(2, np.int32), np.array([began_ms, began_ms + 5]))
    assert again.tolist() == [False, True]


def test_metadata_of_their_own_request_make_a_counter(store: MetricStore) -> None:
    """Prometheus sends them now and then; what comes after them is of the kind that they tell."""
    labels = {"__name__": "jobs_done"}
    store.write_remote(write_request([(labels, [(NOW_MS - 60_000, 1.0)])]))
    assert store.write_remote(about({"jobs_done": COUNTER})).accepted == 0
    store.write_remote(write_request([(labels, rising())]))
    assert line(store, "jobs_done") == [5.0, 5.0, 5.0]


@pytest.mark.parametrize("checkpoint", [False, True], ids=["log", "checkpoint"])
def test_what_was_told_survives_a_restart(tmp_path: Path, *, checkpoint: bool) -> None:
    """Counters would become gauges after a restart."""
    store = opened(tmp_path)
    store.write_remote(about({"jobs_done": COUNTER}))
    if checkpoint:
        store.checkpoint()
    again = opened(tmp_path)  # the first one is not closed, as after a kill
    again.write_remote(write_request([({"__name__": "jobs_done"}, rising())]))
    assert line(again, "jobs_done") == [5.0, 5.0, 5.0]
    assert again.values("atlas.dstype", AnyOf()) == ["counter"]
    for one in (again, store):
        one.close()


def test_a_name_that_only_looks_cumulative_is_a_gauge(store: MetricStore) -> None:
    """Recording rules end in ":sum", which is no "_sum"."""
    store.write_remote(write_request([({"__name__": "job:memory:sum"}, rising())]))
    assert line(store, "job:memory:sum")[-1] == 200.0


def test_kinds_that_types_tell() -> None:
    """A counter with an odd name would be stored as a gauge."""
    kinds = MetricKinds()
    told = {"hits": COUNTER, "odd_total": GAUGE, "lat": GAUGE_HISTOGRAM, "plain": GAUGE}
    changed = kinds.learn(told.items())
    assert changed == {"hits": "counter", "odd_total": "gauge", "lat_bucket": "gauge"}
    assert kinds.learn(told.items()) == {}
    assert kinds.learn([("hits", MetricType.UNKNOWN), ("lat", MetricType.HISTOGRAM)]) == {
        "hits": "",
        "lat_bucket": "",
    }
    assert kinds.kind("lat_bucket") == "counter"
    assert kinds.kind("hits") == "gauge"
    assert kinds.learn([("x" * 300, COUNTER), ("", COUNTER)]) == {}
