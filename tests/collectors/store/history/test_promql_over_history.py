"""PromQL beyond the hot window: what history has leads up to what is hot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.history.engine import HistoryEngine
from collectors.promql.evaluation.query import instant, over_range
from collectors.promql.vectors.values import Vector
from collectors.store.history.metric_history import MetricHistory
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request

STEP_MS = 10_000
START_MS = 1_700_000_400_000 // 600_000 * 600_000
HOURS = 3


@pytest.fixture
def answers(tmp_path: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Send three hours of which one is hot; return times and values of some expressions."""
    clock = ManualClock(START_MS)
    engine = HistoryEngine.open(f"chdb://{tmp_path / 'history'}")
    store = MetricStore.open(
        tmp_path / "store",
        step_ms=STEP_MS,
        hot_window_ms=3_600_000,
        clock=clock,
        history=MetricHistory(engine, step_ms=STEP_MS),
    )
    for step in range(HOURS * 360 + 1):
        clock.set_ms(START_MS + step * STEP_MS)
        at = START_MS + step * STEP_MS
        series: list[tuple[dict[str, str], list[tuple[int, float]]]] = [
            ({"__name__": "x_total", "a": "b"}, [(at, 1000.0 + 20.0 * step)]),
            ({"__name__": "heat", "a": "b"}, [(at, float(step))]),
        ]
        if step < 60:
            series.append(({"__name__": "heat", "a": "gone"}, [(at, 7.0)]))
        store.write_remote(write_request(series))
        if step % 120 == 0:
            store.flush_history()
    end_ms = clock.now_ms()
    found: dict[str, tuple[list[int], list[float]]] = {}
    for text in ("heat", "rate(x_total[5m])", "x_total", "count(heat)"):
        value = over_range(text, store.samples(), START_MS + 600_000, end_ms, 600_000).value
        assert isinstance(value, Vector)
        row = next(i for i, one in enumerate(value.labels.dicts()) if one.get("a") != "gone")
        steps = np.flatnonzero(value.present[row])
        found[text] = (steps.tolist(), value.values[row, steps].tolist())
    for key, text in (
        ("gone", 'a="gone"'),
        ("gone by pattern", 'a=~"g.n."'),
        ("others", 'a!~"g.n."'),
    ):
        old = instant(f"heat{{{text}}}", store.samples(), START_MS + 500_000)
        assert isinstance(old.value, Vector)
        found[key] = ([], old.value.values[:, 0].tolist())
    store.close()
    engine.close()
    return found


def test_history_and_memory_make_one_series(
    answers: dict[str, tuple[list[int], list[float]]],
) -> None:
    """A panel over a day would have a gap, or a counter that falls, where the hot window begins."""
    steps = list(range(HOURS * 6))
    assert answers["heat"] == (steps, [60.0 * (step + 1) for step in steps])
    assert answers["rate(x_total[5m])"][0] == steps
    assert answers["rate(x_total[5m])"][1] == pytest.approx([2.0] * len(steps))
    assert answers["x_total"][1] == pytest.approx([1000 + 1200.0 * (step + 1) for step in steps])
    assert answers["count(heat)"][1] == [2.0] + [1.0] * (len(steps) - 1)
    assert answers["gone"] == answers["gone by pattern"] == ([], [7.0])
    assert answers["others"] == ([], [50.0])
