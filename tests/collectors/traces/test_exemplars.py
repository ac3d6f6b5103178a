"""From a series to the traces behind its values."""

import numpy as np
import pytest

from collectors.errors import OverloadedError
from collectors.model import Batch, Exemplar
from collectors.receivers.testing.fakes import FakeStore
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.traces.exemplars import PER_SERIES, ExemplarStore, ExemplarWriter


def batch_of(name: str, *times: int, trace: str = "t") -> Batch:
    exemplars = [
        Exemplar(series=0, time_ms=time, value=float(time), trace_id=f"{trace}{time}", span_id="s")
        for time in times
    ]
    return Batch(
        series=[{"name": name}],
        series_index=np.zeros(1, dtype=np.int32),
        time_ms=np.zeros(1, dtype=np.int64),
        value=np.ones(1),
        exemplars=exemplars,
    )


def test_find_by_query_and_time() -> None:
    """A page would link to a trace of another series or time."""
    store = ExemplarStore()
    store.note(batch_of("latency", 10, 20, 30))
    store.note(batch_of("starts", 25))
    assert [t.trace_id for t in store.find(AnyOf(), 0, 100)] == ["t30", "t25", "t20", "t10"]
    found = store.find(Equal("name", "latency"), 20, 30, limit=1)
    assert [(t.tags, t.trace_id, t.value) for t in found] == [({"name": "latency"}, "t30", 30.0)]


def test_a_repeated_exemplar_is_kept_once() -> None:
    """Cumulative exporters send the same exemplar until a newer one comes."""
    store = ExemplarStore()
    store.note(batch_of("latency", 10))
    store.note(batch_of("latency", 10))
    assert len(store.find(AnyOf(), 0, 100)) == 1


def test_both_dimensions_are_bounded() -> None:
    """Exemplars would fill the memory."""
    store = ExemplarStore(max_series=2)
    store.note(batch_of("a", *range(100)))
    assert [t.time_ms for t in store.find(AnyOf(), 0, 100)][-1] == 100 - PER_SERIES
    store.note(batch_of("b", 1))
    store.note(batch_of("a", 200))
    store.note(batch_of("c", 1))
    assert {t.tags["name"] for t in store.find(AnyOf(), 0, 300)} == {"a", "c"}


def test_the_writer_notes_what_was_kept() -> None:
    """Exemplars would be shown of samples that were refused."""
    metrics, exemplars = FakeStore(), ExemplarStore()
    writer = ExemplarWriter(metrics, exemplars)
    metrics.failure = OverloadedError("busy")
    with pytest.raises(OverloadedError):
        writer.write(batch_of("a", 1))
    assert exemplars.find(AnyOf(), 0, 10) == []
    metrics.failure = None
    assert writer.write(batch_of("a", 1)).accepted == 1
    assert len(exemplars.find(AnyOf(), 0, 10)) == 1
