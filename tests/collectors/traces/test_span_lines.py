"""The words of the stack language about spans: what they count, in batch and step by step."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.errors import QueryError
from collectors.model import Frame, Span, SpanKind
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.evaluation.streaming import StreamingEvaluator
from collectors.stacklang.lines.database import Window
from collectors.store.metric_store import MetricStore
from collectors.traces.span_lines import SpanLines
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

STEP_MS = 10_000
START_MS = 1_700_000_040_000
WINDOW = Window(start_ms=START_MS + STEP_MS, end_ms=START_MS + 4 * STEP_MS, step_ms=STEP_MS)


def span(number: int, step: int, took_ms: float, **more: object) -> Span:
    """Return a span of a trace of its own that ends within a step, from 0."""
    end_ms = START_MS + step * STEP_MS + 5_000
    fields = {"service": "pay", "name": "charge", "kind": SpanKind.SERVER} | more
    return make_span(
        f"{number:x}",
        trace=f"{number:x}",
        start_ms=end_ms - took_ms,
        duration_ms=took_ms,
        **fields,  # type: ignore[arg-type] # the names are checked at run time
    )


# Step 0: four spans, one failed. Step 1: two, of one sampled 1 in 4. Step 2: none. Step 3: one.
SPANS = [
    span(1, 0, 100, attributes={"region": "eu"}),
    span(2, 0, 200, attributes={"region": "eu"}, error=True),
    span(3, 0, 300, attributes={"region": "us"}),
    span(4, 0, 400, name="refund"),
    replace(span(5, 1, 1_000, attributes={"region": "us"}), trace_state="ot=th:c"),
    span(6, 1, 100, attributes={"region": "us"}, error=True),
    span(7, 3, 50, service="ship", resource={"service.name": "ship", "zone": "b"}),
]


@pytest.fixture(name="store", scope="module")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricStore]:
    path: Path = tmp_path_factory.mktemp("metrics")
    clock = ManualClock(START_MS + 5 * STEP_MS)
    metrics = MetricStore.open(path, step_ms=STEP_MS, hot_window_ms=3_600_000, clock=clock)
    spans = SpanStore(metrics.journal, clock=clock)
    first = make_span("99", trace="99", start_ms=START_MS - 60_000, service="first")
    spans.write_spans([first, *SPANS])
    metrics.of_spans = SpanLines(spans, STEP_MS)
    yield metrics
    metrics.close()


def rows(frame: Frame) -> list[list[float | None]]:
    return [[None if math.isnan(v) else round(v, 6) for v in row] for row in frame.values.tolist()]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("service,pay,:eq,:span-count", [[4, 5, None, None]]),
        ("service,pay,:eq,:spans", [[0.4, 0.5, None, None]]),
        ("service,pay,:eq,:span-error-ratio", [[0.25, 0.2, None, None]]),
        ("service,pay,:eq,:span-duration", [[0.25, 0.82, None, None]]),
        ("service,pay,:eq,50,:span-percentile", [[0.2, 1.0, None, None]]),
        ("service,pay,:eq,100,:span-percentile", [[0.4, 1.0, None, None]]),
        ("service,pay,:eq,0,:span-percentile", [[0.1, 0.1, None, None]]),
        ("service,pay,:eq,20,:span-percentile", [[0.1, 0.1, None, None]]),
        (
            "service,pay,:eq,:span-count,(,region,),:by",
            [[2, None, None, None], [1, 5, None, None]],
        ),
        (
            "service,pay,:eq,:span-error-ratio,(,region,),:by",
            [[0.5, None, None, None], [0, 0.2, None, None]],
        ),
        ("region,us,:eq,status,error,:eq,:and,:span-count", [[0, 1, None, 0]]),
        ("name,ref,:re,:span-count", [[1, None, None, None]]),
        ("operation,(,refund,charge,),:in,region,:has,:not,:and,:span-count", [[1, 0, None, 1]]),
        ("zone,b,:eq,:span-count", [[0, 0, None, 1]]),
        (":true,:span-count,(,service,),:by", [[4, 5, None, None], [None, None, None, 1]]),
        ("kind,client,:eq,:span-count", [[None] * 4]),
        ("service,pay,:eq,region,none,:eq,:and,:spans", [[0, 0, None, None]]),
        ("region,none,:eq,:span-error-ratio", [[None] * 4]),
        (
            "service,pay,:eq,status,error,:eq,:and,:spans,(,region,),:by",
            [[0.1, None, None, None], [0, 0.1, None, None]],
        ),
        ("service,pay,:eq,:span-count,10s,:offset", [[None, 4, 5, None]]),
        ("service,pay,:eq,:span-error-ratio,0.2,:gt", [[1, 0, 0, 0]]),
    ],
)
def test_what_the_words_count(
    store: MetricStore, program: str, expected: list[list[float | None]]
) -> None:
    """Objectives and detectors on spans would be judged by other numbers than their spans'."""
    assert rows(evaluate(program, store, WINDOW)) == expected


@pytest.mark.parametrize(
    "program",
    [
        "service,pay,:eq,:span-error-ratio,(,region,),:by",
        ":true,99,:span-percentile,(,service,),:by",
        "service,pay,:eq,:span-count,3,1,:rolling-mean",
    ],
)
def test_step_by_step_it_is_the_same(store: MetricStore, program: str) -> None:
    """A rule would be judged by other numbers than its graph shows."""
    streamed = StreamingEvaluator({"rule": program}, STEP_MS)
    found: dict[str, list[float]] = {}
    for at, time_ms in enumerate(WINDOW.times_ms.tolist()):
        frame = streamed.advance(store, time_ms)["rule"]
        for tags, values in zip(frame.tags, frame.values, strict=True):
            row = found.setdefault(str(sorted(tags.items())), [math.nan] * WINDOW.steps)
            row[at] = float(values[0])
    batch = evaluate(program, store, WINDOW)
    for tags, values in zip(batch.tags, batch.values, strict=True):
        np.testing.assert_allclose(found[str(sorted(tags.items()))], values)


def test_a_larger_step_has_all_its_spans(store: MetricStore) -> None:
    """A graph of a day would show a tenth of the traffic."""
    window = Window(start_ms=START_MS, end_ms=START_MS + 60_000, step_ms=60_000)
    assert rows(evaluate("service,pay,:eq,:span-count", store, window)) == [[None, 9]]


def test_what_went_is_not_known(store: MetricStore) -> None:
    """Time that memory no longer holds would look like time without requests, or without errors."""
    early = Window(start_ms=START_MS - 20 * STEP_MS, end_ms=START_MS, step_ms=STEP_MS)
    values = evaluate("service,first,:eq,:span-count", store, early).values
    assert np.flatnonzero(~np.isnan(values[0])).tolist() == [15]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("service,pay,:eq,101,:span-percentile", "not in 0 to 100"),
        ("tocsin.spans,nonsense,:eq", "nothing to ask of spans"),
    ],
)
def test_what_is_refused(store: MetricStore, program: str, said: str) -> None:
    """A mistake would look like a line without data."""
    with pytest.raises(QueryError, match=said):
        evaluate(program, store, WINDOW)
