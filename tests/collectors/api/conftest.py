"""Real stores with a few known series and one known trace, and a client of the endpoints.

The clock stands at 2012-01-01T09:00Z. Twelve gauges ``range`` have the names 00 to 11 in ``item``;
``sps`` is a gauge in two clusters, the second one three times the first.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.api.app import api_app
from collectors.clock import ManualClock
from collectors.model import Batch, Span, SpanEvent, SpanKind, SpanStatus, Tags
from collectors.store.metric_store import MetricStore
from collectors.traces.store import SpanStore

NOW_MS = 1_325_408_400_000
MINUTE_MS = 60_000
STEPS = 30
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def gauges(rows: list[tuple[Tags, list[float]]]) -> Batch:
    """Return a batch whose rows end at the present, one value a minute."""
    steps = len(rows[0][1])
    times = NOW_MS - MINUTE_MS * np.arange(steps - 1, -1, -1)
    return Batch(
        series=[{**tags, "atlas.dstype": "gauge"} for tags, _ in rows],
        series_index=np.repeat(np.arange(len(rows)), steps).astype(np.int32),
        time_ms=np.tile(times, len(rows)).astype(np.int64),
        value=np.array([v for _, values in rows for v in values], dtype=np.float64),
    )


@pytest.fixture(scope="session")
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[MetricStore]:
    path: Path = tmp_path_factory.mktemp("metrics")
    metrics = MetricStore.open(path, step_ms=MINUTE_MS, hot_window_ms=6 * 3_600_000, clock=clock)
    ramp = [float(i) for i in range(1, STEPS + 1)]
    metrics.write(
        gauges(
            [
                ({"name": "sps", "nf.cluster": "nccp-ps3"}, ramp),
                ({"name": "sps", "nf.cluster": "nccp-xbox"}, [3 * v for v in ramp]),
                *(
                    ({"name": "range", "item": f"{i:02d}", "odd": str(i % 2)}, [float(i)] * STEPS)
                    for i in range(12)
                ),
            ]
        )
    )
    yield metrics
    metrics.close()


def make_span(span_id: str, parent: str, start_ms: int, end_ms: int, **changes: object) -> Span:
    fields: dict[str, object] = {
        "trace_id": TRACE_ID,
        "span_id": span_id,
        "parent_span_id": parent,
        "name": "GET /play",
        "kind": SpanKind.SERVER,
        "start_ns": (NOW_MS + start_ms) * 1_000_000,
        "end_ns": (NOW_MS + end_ms) * 1_000_000,
        "status": SpanStatus.UNSET,
        "status_message": "",
        "service": "gateway",
        "resource": {"service.name": "gateway"},
        "attributes": {"http.route": "/play"},
    }
    return Span(**(fields | changes))  # type: ignore[arg-type] # the names are checked at run time


@pytest.fixture(scope="session")
def spans(store: MetricStore, clock: ManualClock) -> SpanStore:
    event = SpanEvent(name="exception", time_ns=(NOW_MS - 980) * 1_000_000, attributes={"n": 2**60})
    found = SpanStore(store.journal, clock=clock)
    found.write_spans(
        [
            make_span("00f067aa0ba902b7", "", -1000, -900),
            make_span(
                "00f067aa0ba902b8",
                "00f067aa0ba902b7",
                -990,
                -950,
                kind=SpanKind.CLIENT,
                name="call playback",
            ),
            make_span(
                "00f067aa0ba902b9",
                "00f067aa0ba902b8",
                -985,
                -960,
                service="playback",
                resource={"service.name": "playback"},
                status=SpanStatus.ERROR,
                status_message="no license",
                events=[event],
            ),
        ]
    )
    return found


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serve ``app`` with uvicorn on a free port; the socket listens before the server runs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def serve() -> Callable[[Starlette], AbstractContextManager[str]]:
    return served


@pytest.fixture(scope="session")
def client(store: MetricStore, spans: SpanStore, clock: ManualClock) -> Iterator[TestClient]:
    with TestClient(api_app(store, spans, clock)) as opened:
        yield opened
