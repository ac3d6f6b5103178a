"""Commands about an objective that asks in PromQL: validated, explained, replayed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from collectors.model import Batch
from tests.tocsin.configuration.test_reload import settings
from tests.tocsin.test_asking_commands import run
from tocsin.testing import START_MS, local_tocsin

OBJECTIVE = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: api
  annotations: {tocsin.dev/group-by: cluster}
spec:
  service: api
  indicator:
    metadata: {name: api-ok}
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource: {type: prometheus, spec: {query: 'sum(rate(calls_total{code=~"5.."}[1m]))'}}
        total:
          metricSource: {type: prometheus, spec: {query: 'sum(rate(calls_total[1m]))'}}
  timeWindow: [{duration: 12h, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


def calls(step_ms: int) -> Callable[[int], Batch]:
    """Return the scrapes of two clusters, of which one fails by half from the start on."""

    def scraped(now_ms: int) -> Batch:
        steps = (now_ms - START_MS) / step_ms
        counts = {("a", "200"): 500, ("a", "500"): 500, ("b", "200"): 1_000, ("b", "500"): 0}
        series = [
            {
                "name": "calls_total",
                "cluster": cluster,
                "code": code,
                "instance": cluster,
                "atlas.dstype": "counter",
            }
            for cluster, code in counts
        ]
        return Batch(
            series=series,
            series_index=np.arange(len(series), dtype=np.int32),
            time_ms=np.full(len(series), now_ms, dtype=np.int64),
            value=np.array([steps * count for count in counts.values()], dtype=np.float64),
        )

    return scraped


def test_an_objective_in_promql_is_validated_explained_and_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An objective that fires and can't be explained or replayed is a page without a reason."""
    (tmp_path / "ops" / "slos").mkdir(parents=True)
    (tmp_path / "ops" / "slos" / "api.yaml").write_text(OBJECTIVE)
    with local_tocsin(settings(tmp_path)) as running:
        monkeypatch.setenv("TOCSIN_API_URL", running.api.base_url)
        running.run(30, calls(running.engine._step_ms))
        paged = capsys.readouterr().err
        tell = {
            words: run(capsys, monkeypatch, *words.split())
            for words in (
                f"slo validate {tmp_path / 'ops' / 'slos'}",
                "slo report",
                "slo explain api --all",
                "slo backtest api --start now-10m --end now",
            )
        }
    assert 'rate(calls_total{code=~"5..",cluster="a"}[1m])' in paged, "as people write it"
    for words, (code, out, err) in tell.items():
        assert (code, err) == (0, ""), f"{words}: {out}{err}"
    validated, reported, explained, replayed = (out for _, out, _ in tell.values())
    assert "1 objectives to evaluate: valid" in validated
    assert "burning" in reported
    assert "fires:" in explained
    assert "bad " in explained
    assert "of a window's budget spent" in replayed
