"""Burn-rate alerts against Prometheus: equivalent rules, judged by ``promtool test rules``.

For each course of events a rule file with our pairs of windows is written, and for each step which
of them we say burn. ``promtool`` evaluates the rules by its own engine and says where we differ.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from anomaly.arrivals import Arrived
from anomaly.slo.burn import Verdict
from anomaly.slo.objective import Objective
from anomaly.slo.testing import example_objective
from anomaly.slo.tiers import Tier
from anomaly.slo.watch import ObjectiveWatch
from collectors.model import FloatArray, Frame
from collectors.stacklang.lines.database import Window

PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(
    PROMTOOL is None,
    reason="promtool is not installed: burn rates are not compared with Prometheus here",
)

Phase = tuple[int, int, int]
"""So many steps with so many events, of which so many are bad."""

# A period of three days at steps of 30 s has windows of 6 min / 30 s up to 7 h 12 min / 36 min.
CLEAN: Phase = (900, 1_000, 0)
COURSES: dict[str, tuple[str, Sequence[Phase]]] = {
    "an outage": ("0.999", [CLEAN, (20, 1_000, 1_000), (120, 1_000, 0)]),
    "fifteen percent": ("0.999", [CLEAN, (20, 1_000, 150), (120, 1_000, 0)]),
    "a slow burn": ("0.999", [CLEAN, (300, 1_000, 3), (120, 1_000, 0)]),
    "traffic that falls while it fails": ("0.99", [CLEAN, (60, 90, 31), (120, 1_000, 0)]),
    "again before it is over": ("0.995", [CLEAN, *[(7, 1_000, 340), (11, 1_000, 0)] * 4]),
    "a modest target": ("0.9", [CLEAN, (90, 1_000, 700), (90, 1_000, 0)]),
    "below every limit": ("0.99", [CLEAN, (200, 1_000, 9)]),
    "idle steps": ("0.999", [CLEAN, *[(3, 1_000, 37), (2, 0, 0)] * 30]),
}
STEP_S = 30


def promise(target: str) -> Objective:
    return example_objective(
        target=Fraction(target), period_s=3 * 86_400, group_by=(), good_expr=None, bad_expr="b"
    )


def events(phases: Sequence[Phase]) -> tuple[FloatArray, FloatArray]:
    total = np.concatenate([np.full(steps, float(count)) for steps, count, _ in phases])
    bad = np.concatenate([np.full(steps, float(wrong)) for steps, _, wrong in phases])
    return total, bad


def ours(objective: Objective, total: FloatArray, bad: FloatArray) -> Iterator[set[str]]:
    """Yield after each step which pairs of windows burn."""
    step_ms = STEP_S * 1_000
    watch = ObjectiveWatch(objective, step_ms)
    window = Window(start_ms=step_ms, end_ms=len(total) * step_ms, step_ms=step_ms)

    def frame(row: FloatArray) -> Frame:
        values = row[np.newaxis] / STEP_S
        return Frame(start_ms=step_ms, step_ms=step_ms, tags=[{}], labels=[""], values=values)

    watch.take(frame(bad), frame(total), Arrived.everything(window))
    for step in range(len(total)):
        watch.feed(step, step + 1, (step + 1) * step_ms)
        readings = watch.windows().readings(0)
        yield {reading.tier.name for reading in readings if reading.verdict is Verdict.BURNING}


def rule(tier: Tier, objective: Objective) -> dict[str, object]:
    limit = float(tier.factor * objective.budget)

    def over(window_s: float) -> str:
        counted = [f"increase({name}[{window_s:.0f}s])" for name in ("bad_total", "all_total")]
        return f"({' / '.join(counted)}) > {limit!r}"

    return {"alert": tier.name, "expr": f"{over(tier.long_s)} and {over(tier.short_s)}"}


def counter(name: str, row: FloatArray) -> dict[str, str]:
    grown = np.concatenate([[0], np.cumsum(row)])
    return {"series": name, "values": " ".join(f"{value:.0f}" for value in grown)}


@pytest.mark.parametrize("name", COURSES)
def test_prometheus_says_the_same(name: str, tmp_path: Path) -> None:
    """Whoever moves here from Prometheus would be paged at other times, without a reason."""
    target, phases = COURSES[name]
    objective = promise(target)
    total, bad = events(phases)
    tiers = ObjectiveWatch(objective, STEP_S * 1_000).tiers
    rules = [rule(tier, objective) for tier in tiers]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "slo", "rules": rules}]}))
    found = list(ours(objective, total, bad))
    asked = [
        {
            "eval_time": f"{(step + 1) * STEP_S}s",
            "alertname": tier.name,
            "exp_alerts": [{"exp_labels": {}}] if tier.name in found[step] else [],
        }
        for step in range(CLEAN[0] - 5, len(total))
        for tier in tiers
    ]
    case = {
        "interval": f"{STEP_S}s",
        "input_series": [counter("bad_total", bad), counter("all_total", total)],
        "alert_rule_test": asked,
    }
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": f"{STEP_S}s",
        "tests": [case],
    }
    (tmp_path / "test.yaml").write_text(json.dumps(document))
    told = subprocess.run(
        [str(PROMTOOL), "test", "rules", "test.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode == 0, (told.stdout + told.stderr)[-3_000:]
    expected = {tier for step in found for tier in step}
    assert bool(expected) is (name != "below every limit")
