"""Objectives set on spans, without any metric, by what anybody's service tells in them."""

from pathlib import Path

import pytest

from collectors.model import Span, SpanKind
from collectors.traces.testing import make_span
from tests.tocsin.configuration.test_reload import failing, rows, settings
from tocsin.testing import LocalTocsin, local_tocsin

SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: seats}
spec:
  service: cinema
  indicator:
    metadata: {name: seats}
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: tocsin
            spec: {query: "service,cinema,:eq,kind,server,:eq,:and,status,error,:eq,:and,:spans"}
        total:
          metricSource:
            type: tocsin
            spec: {query: "service,cinema,:eq,kind,server,:eq,:and,:spans"}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


def shown(step_end_ms: int, *, failed: float) -> list[Span]:
    """Return what a cinema did in a step: forty requests, a share of which failed."""
    return [
        make_span(
            "1",
            trace=f"{step_end_ms + n:x}",
            service="cinema",
            name="GET /seats",
            kind=SpanKind.SERVER,
            start_ms=step_end_ms - 5_000 + n,
            duration_ms=20,
            error=n < 40 * failed,
        )
        for n in range(40)
    ]


def play(tocsin: LocalTocsin, steps: int, failed: float) -> None:
    for _ in range(steps):
        end_ms = tocsin.now_ms + tocsin.step_ms
        tocsin.collectors.spans.write_spans(shown(end_ms, failed=failed))
        # A server writes metrics of its own in each step: without any it takes itself for blind.
        tocsin.run(1, failing("other"))


def test_an_objective_on_spans_burns(tmp_path: Path) -> None:
    """A service that sends nothing but spans could not be watched."""
    (tmp_path / "ops/slos").mkdir(parents=True)
    (tmp_path / "ops/slos/seats.yaml").write_text(SLO)
    with local_tocsin(settings(tmp_path)) as tocsin:
        play(tocsin, 6, failed=0.0)
        assert rows(tocsin)["seats"]["good_ratio"] == 1.0
        assert tocsin.api.findings() == []
        play(tocsin, 12, failed=0.5)
        assert rows(tocsin)["seats"]["good_ratio"] == pytest.approx(2 / 3, abs=0.1)
        assert [found["rule"] for found in tocsin.api.findings()] != []
