"""From spans and samples to suspects with their path, and to the tags that explain a number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from collectors.model import Batch, Span, SpanKind
from collectors.traces.testing import make_span
from tests.tocsin.configuration.test_reload import settings
from tocsin.client.client import ApiClient
from tocsin.testing import START_MS, LocalTocsin, local_tocsin

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: starts
  displayName: Starts
  annotations: {tocsin.dev/group-by: cdn}
spec:
  service: gateway
  indicator:
    metadata: {name: starts}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: tocsin, spec: {query: "name,failures,:eq,:sum"}}}
        total: {metricSource: {type: tocsin, spec: {query: "name,starts,:eq,:sum"}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""
HEALTHY_STEPS, FAILING_STEPS = 30, 12


def _samples(time_ms: int, *, failing: bool) -> Batch:
    """Return starts and failures by cdn and p2p; cdn 5 fails."""
    series, values = [], []
    for cdn, p2p in product("3567", "01"):
        bad = 40.0 if failing and cdn == "5" else 0.0
        for name, value in (("starts", 100.0), ("failures", bad)):
            series.append({"name": name, "cdn": cdn, "p2p": p2p, "atlas.dstype": "gauge"})
            values.append(value)
    return Batch(
        series=series,
        series_index=np.arange(len(series), dtype=np.int32),
        time_ms=np.full(len(series), time_ms, dtype=np.int64),
        value=np.array(values),
    )


def _spans(time_ms: int, *, failing: bool) -> Iterator[Span]:
    """Yield ten requests that pass from the gateway over playback to licences."""
    for number in range(10):
        bad = failing and number < 4
        trace, start_ms = f"{time_ms + number:x}", time_ms - 9_000 + number * 100
        for at, service in enumerate(("gateway", "playback", "licences")):
            yield make_span(
                str(at + 1),
                trace=trace,
                parent=str(at) if at else "",
                service=service,
                kind=SpanKind.SERVER,
                start_ms=start_ms + at,
                duration_ms=50 - 10 * at,
                error=bad,
                attributes={"cdn": "5"} if bad else {},
            )


@pytest.fixture(name="failing", scope="module")
def _failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTocsin]:
    directory: Path = tmp_path_factory.mktemp("suspects")
    (directory / "ops" / "slos").mkdir(parents=True)
    (directory / "ops" / "slos" / "starts.yaml").write_text(SLO)
    with local_tocsin(settings(directory)) as running:

        def arrive(time_ms: int) -> Batch:
            failing = time_ms > START_MS + HEALTHY_STEPS * running.step_ms
            running.collectors.spans.write_spans(list(_spans(time_ms, failing=failing)))
            return _samples(time_ms, failing=failing)

        running.run(HEALTHY_STEPS + FAILING_STEPS, arrive)
        yield running


def test_a_finding_names_the_service_and_the_way_to_it(failing: LocalTocsin) -> None:
    """The gateway fails because licences does, which is two calls away."""
    finding = failing.api.findings()[0]
    first = finding["suspects"][0]
    assert (first["service"], first["path"]) == ("licences", ["gateway", "playback", "licences"])
    assert "failures begin there" in first["reason"]
    assert "of its requests fail" in first["reason"]
    assert finding["scope"]["cdn"] == "5"


def test_the_incident_keeps_suspects(failing: LocalTocsin) -> None:
    """What was found is still there when the spans are gone."""
    (opened,) = failing.api.incidents()
    held = failing.api.incident(opened["id"])["findings"][0]
    assert held["suspects"][0]["path"] == ["gateway", "playback", "licences"]


def test_the_tags_that_explain_a_number(failing: LocalTocsin) -> None:
    """Over a real socket: failures against starts, in the failing minutes."""
    api: ApiClient = failing.api
    since_ms = START_MS + HEALTHY_STEPS * failing.step_ms
    params: dict[str, str | int] = {
        "of": "name,starts,:eq,:sum",
        "by": "cdn,p2p",
        "s": since_ms,
        "before": "4m",
    }
    found = api.explain_groups("name,failures,:eq,:sum", params)
    assert found["stands_out"]
    assert found["combinations"][0]["tags"] == {"cdn": "5"}
