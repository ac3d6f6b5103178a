"""Critical path, comparison and exemplars over HTTP, and the page that documents them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.api.app import api_app
from collectors.api.routes import exemplar_routes
from collectors.api.traces import trace_content
from collectors.clock import ManualClock
from collectors.model import Batch, Exemplar
from collectors.store.metric_store import MetricStore
from collectors.traces.exemplars import ExemplarStore
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "traces.md"
ADDRESS = "http://127.0.0.1:7101"
NOW_MS = 1_325_408_400_000
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def batch_of(name: str, *exemplars: tuple[int, float, str]) -> Batch:
    return Batch(
        series=[{"name": name, "app": "play"}],
        series_index=np.zeros(0, dtype=np.int32),
        time_ms=np.zeros(0, dtype=np.int64),
        value=np.zeros(0),
        exemplars=[
            Exemplar(series=0, time_ms=t, value=v, trace_id=trace, span_id="00f067aa0ba902b8")
            for t, v, trace in exemplars
        ],
    )


@pytest.fixture
def app(store: MetricStore, spans: SpanStore, clock: ManualClock) -> Starlette:
    exemplars = ExemplarStore()
    exemplars.note(batch_of("latency", (NOW_MS - 1_000, 0.25, TRACE_ID)))
    exemplars.note(batch_of("other", *((t, float(t), f"{t:032x}") for t in range(1, 6))))
    return api_app(store, spans, clock, extra_routes=exemplar_routes(exemplars))


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("q=name,latency,:eq", [0.25]),
        ("", [0.25, 5.0, 4.0, 3.0, 2.0, 1.0]),
        ("q=app,play,:eq&limit=2", [0.25, 5.0]),
        ("start_ms=2&end_ms=4", [4.0, 3.0, 2.0]),
        ("q=name,none,:eq", []),
        ("trace=3", [3.0]),
        (f"trace={TRACE_ID}", [0.25]),
        ("trace=abc", []),
    ],
)
def test_exemplars_are_found_newest_first(app: Starlette, query: str, values: list[float]) -> None:
    """A page would link to an old trace, or to one of another series."""
    answer = TestClient(app).get(f"/api/v2/exemplars?{query}")
    assert answer.status_code == 200
    assert [found["value"] for found in answer.json()["exemplars"]] == values


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("exemplars?q=name,:eq", "IllegalStateException: "),
        ("exemplars?q=name,a,:eq,:sum", ""),
        ("exemplars?limit=0", "'limit'"),
        ("exemplars?trace=x", "hex digits"),
        ("exemplars?limit=1001", "'limit'"),
        ("exemplars?start_ms=5&end_ms=4", "end_ms 4 is before start_ms 5"),
        ("exemplars?start_ms=soon", "'start_ms'"),
        ("traces/compare", "which spans are the bad ones"),
        ("traces/compare?error=true&limit=101", "'limit'"),
        ("traces/compare?error=maybe", "'error'"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(app: Starlette, path: str, words: str) -> None:
    """The caller would not learn which parameter to fix."""
    answer = TestClient(app).get(f"/api/v2/{path}")
    assert answer.status_code == 400
    assert answer.json()["type"] == "error"
    assert words in answer.json()["message"]


def test_a_trace_tells_its_critical_path(client: TestClient) -> None:
    """The spans that were waited for, and how much of that was their own time."""
    trace = client.get(f"/api/v2/traces/{TRACE_ID}").json()
    assert trace["critical_path"] == ["00f067aa0ba902b7", "00f067aa0ba902b8", "00f067aa0ba902b9"]
    assert list(trace["critical_ms"].values()) == [60.0, 15.0, 25.0]
    assert sum(trace["critical_ms"].values()) == trace["duration_ms"]


def test_what_nobody_waited_for_is_not_on_the_path() -> None:
    """The critical path would blame a call that ran beside a longer one."""
    spans = [
        make_span("1", duration_ms=100),
        make_span("2", parent="1", start_ms=1_010, duration_ms=80),
        make_span("3", parent="1", start_ms=1_010, duration_ms=20),
    ]
    found = trace_content("a", spans)
    assert found["critical_path"] == ["1".rjust(16, "0"), "2".rjust(16, "0")]


def test_a_comparison_names_what_the_bad_ones_share(store: MetricStore, clock: ManualClock) -> None:
    """Errors that come from one node would not be traced to it."""
    spans = SpanStore(store.journal)
    spans.write_spans(
        [
            make_span(
                f"{n:x}",
                trace=f"{n:x}",
                start_ms=NOW_MS + n,
                error=n % 10 == 0,
                attributes={"node": "oca-3" if n % 10 == 0 else f"oca-{n % 2}"},
            )
            for n in range(1, 201)
        ]
    )
    app = api_app(store, spans, clock)
    path = f"/api/v2/traces/compare?error=true&start_ms={NOW_MS}&limit=1"
    answer = TestClient(app).get(path).json()
    assert (answer["bad_spans"], answer["good_spans"]) == (20, 180)
    (difference,) = answer["differences"]
    assert (difference["key"], difference["value"]) == ("node", "oca-3")
    assert (difference["bad_share"], difference["good_share"], difference["lift"]) == (1, 0, None)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_documented_requests_about_traces(
    app: Starlette, serve: Callable[[Starlette], AbstractContextManager[str]]
) -> None:
    """A reader who types the examples of the docs would see something else."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    examples = [part.partition("\n") for block in blocks for part in ("\n" + block).split("\n$ ")]
    commands = [(command, output) for command, _, output in examples if command]
    assert len(commands) == 5
    with serve(app) as url:
        for command, output in commands:
            arguments = [part.replace(ADDRESS, url) for part in shlex.split(command)]
            answer = subprocess.run(
                arguments, capture_output=True, text=True, timeout=30, check=False
            )
            assert answer.stdout.strip() == output.strip(), command
