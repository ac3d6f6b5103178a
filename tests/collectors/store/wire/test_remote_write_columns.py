"""Remote write in columns: what a body says arrives, and no bytes can break the walker."""

from collections.abc import Iterator
from pathlib import Path

import cramjam
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.clock import ManualClock
from collectors.errors import DecodeError, TooLargeError
from collectors.limits import Limits
from collectors.metric_kinds import MetricKinds
from collectors.model import Batch
from collectors.prometheus_labels import prometheus_tags
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf, Equal, Query
from collectors.store.metric_store import MetricStore
from collectors.store.series.words import Words
from collectors.store.testing.encoder import (
    field,
    label_fields,
    sample_field,
    series_field,
    write_request,
)
from collectors.store.wire.label_words import LabelWords
from collectors.store.wire.remote_body import RemoteBody, decode_body
from collectors.store.wire.walker import walk
from collectors.tag_rules import TagRules

NOW_MS = 1_700_000_000_000
STEP_MS = 10_000

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
label_sets = st.dictionaries(texts, texts, max_size=5)
sample_lists = st.lists(
    st.tuples(st.integers(-(1 << 62), 1 << 62), st.floats(allow_nan=False)), max_size=5
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricStore]:
    store = MetricStore.open(
        tmp_path,
        step_ms=STEP_MS,
        hot_window_ms=3_600_000,
        clock=ManualClock(NOW_MS),
        limits=Limits(max_body_bytes=1 << 20, max_tags=8),
    )
    yield store
    store.close()


def line(store: MetricStore, query: Query) -> list[float]:
    """Return the sum over the last five steps."""
    window = Window(start_ms=NOW_MS - 40_000, end_ms=NOW_MS, step_ms=STEP_MS)
    request = Fetch(
        query=query, aggregate=Aggregate.SUM, consolidation=Consolidation.AVG, window=window
    )
    values: list[float] = store.fetch(request).values[0].tolist()
    return values


def tags_of(body: RemoteBody) -> list[dict[str, str]]:
    """Return the tags of every series, through columns or one by one, as the store finds them.

    Those that the protocol forbids have none.
    """
    words = Words()
    names = LabelWords(words, TagRules(Limits()), seed=7, kinds=MetricKinds())
    labels = body.labels(np.arange(len(body.columns.labels)))
    names.rows(labels.parts, labels.types, room=3)  # so that most words are known and some are not
    rows = names.rows(labels.parts, labels.types, room=1_000)
    found = rows.odd | {row: {} for row in rows.refused}
    for number, row in enumerate(rows.clean.tolist()):
        found[row] = rows.tags.texts(number, words)
    return [found[row] for row in range(len(found))]


@settings(max_examples=150, deadline=None)
@given(series=st.lists(st.tuples(label_sets, sample_lists), max_size=6))
def test_columns_hold_what_was_encoded(
    series: list[tuple[dict[str, str], list[tuple[int, float]]]],
) -> None:
    """The compiled decoder would read other values than were sent."""
    body = decode_body(write_request(series), max_bytes=1 << 20, seed=7)
    columns = body.columns
    assert columns.samples.tolist() == [len(samples) for _, samples in series]
    assert columns.time_ms.tolist() == [t for _, samples in series for t, _ in samples]
    values = columns.bits.view(np.float64).tolist()
    assert values == [v for _, samples in series for _, v in samples]
    expected = [
        {} if "" in labels else prometheus_tags(sorted(labels.items())) for labels, _ in series
    ]
    assert tags_of(body) == expected


@settings(max_examples=400, deadline=None)
@given(data=st.binary(max_size=120))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    """A stranger's bytes would make the decoder read beyond its body."""
    for body in (data, bytes(cramjam.snappy.compress_raw(data))):
        try:
            remote = decode_body(body, max_bytes=1 << 16, seed=7)
            found = tags_of(remote)
        except (DecodeError, TooLargeError):
            continue
        assert len(found) == len(remote.columns.labels)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 200), byte=st.integers(0, 255), cut=st.integers(0, 200))
def test_damaged_requests_are_decoded_or_refused(at: int, byte: int, cut: int) -> None:
    """A damaged length would make the decoder read beyond its body."""
    request = bytearray(series_field(label_fields({"__name__": "up"}), [(1, 2.0), (3, 4.0)]) * 2)
    request[at % len(request)] = byte
    try:
        columns = walk(np.frombuffer(bytes(request[: cut or None]), dtype=np.uint8), seed=7)
    except DecodeError:
        return
    assert columns.samples.sum() == len(columns.time_ms)


def test_prometheus_names_become_atlas_tags(store: MetricStore) -> None:
    """Series from Prometheus could not be asked for by name."""
    labels = {"__name__": "http_requests_total", "path": "/a b", "name": "x", "empty": ""}
    samples = [(NOW_MS - 20_000 + 10_000 * i, 50.0 * i) for i in range(3)]
    assert store.write_remote(write_request([(labels, samples)])).accepted == 3
    assert store.keys(AnyOf()) == ["atlas.dstype", "exported_name", "name", "path"]
    assert store.values("path", AnyOf()) == ["/a b"]
    assert line(store, Equal("name", "http_requests_total"))[-2:] == [5.0, 5.0]


def test_both_writers_mean_the_same_series(store: MetricStore) -> None:
    """The fast and the plain way would store two series for one."""
    labels = {"__name__": "temperature", "room": "1"}
    store.write_remote(write_request([(labels, [(NOW_MS - 10_000, 20.0)])]))
    batch = Batch(
        series=[prometheus_tags(labels.items())],
        series_index=np.zeros(1, dtype=np.int32),
        time_ms=np.array([NOW_MS]),
        value=np.array([21.0]),
    )
    store.write(batch)
    store.write_remote(write_request([(dict(reversed(labels.items())), [(NOW_MS, 22.0)])]))
    assert store.series_count == 1
    assert line(store, AnyOf())[-2:] == [20.0, 22.0]


def test_labels_apart_from_each_other_still_count(store: MetricStore) -> None:
    """Labels after the samples, which protobuf allows, would be lost."""
    labels = label_fields({"__name__": "a"}), label_fields({"zone": "b"})
    message = labels[0] + sample_field(NOW_MS, 1.0) + labels[1] + sample_field(NOW_MS, 3.0)
    body = bytes(cramjam.snappy.compress_raw(field(1, message)))
    assert store.write_remote(body).accepted == 2
    assert line(store, Equal("zone", "b"))[-1] == 3.0


def test_refused_series_keep_the_rest(store: MetricStore) -> None:
    """One bad series would lose the request."""
    many = {"__name__": "wide"} | {f"k{i}": "v" for i in range(20)}
    series = [({"app": "x"}, [(NOW_MS, 1.0)]), (many, [(NOW_MS, 1.0)] * 2)]
    receipt = store.write_remote(write_request([*series, ({"__name__": "ok"}, [(NOW_MS, 1.0)])]))
    assert receipt.accepted == 1
    assert {r.reason: r.count for r in receipt.rejected} == {"nameMissing": 1, "tagsTooMany": 2}


def test_expired_series_come_back_as_new(tmp_path: Path) -> None:
    """Samples of a returning series would go to another one."""
    clock = ManualClock(NOW_MS)
    store = MetricStore.open(tmp_path, step_ms=STEP_MS, hot_window_ms=600_000, clock=clock)
    body = write_request([({"__name__": "a"}, [(NOW_MS, 1.0)])])
    store.write_remote(body)
    for hours in (1, 2):
        clock.set_ms(NOW_MS + hours * 3_600_000)
        store.write_remote(write_request([({"__name__": "b"}, [(clock.now_ms(), 1.0)])]))
    assert store.values("name", AnyOf()) == ["b"]
    later = write_request([({"__name__": "a"}, [(clock.now_ms(), 1.0)])])
    store.write_remote(later)
    store.write_remote(later)
    assert store.values("name", AnyOf()) == ["a", "b"]
    store.close()


def test_a_bomb_is_refused_before_it_is_unpacked(store: MetricStore) -> None:
    """A small body could take all of the memory."""
    bomb = bytes(cramjam.snappy.compress_raw(bytes(50 << 20)))
    with pytest.raises(TooLargeError, match="after decompression"):
        store.write_remote(bomb)
    with pytest.raises(DecodeError, match="not a snappy block"):
        store.write_remote(b"\x05nonsense")
