"""An objective as a rule: what it tells of one that burns, and of one that can't be judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anomaly.arrivals import Arrived
from anomaly.findings import Finding, FindingState
from anomaly.rules.objective_rule import ObjectiveRule
from anomaly.slo.counting import Comparison, Measure
from anomaly.slo.slices import SliceRule
from anomaly.slo.testing import example_objective
from collectors.model import Frame
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from collectors.stacklang.testing.memory import MemoryDatabase

STEP_MS = 60_000
NAN = float("nan")


def told(
    rule: ObjectiveRule, good: dict[str, list[float]], total: dict[str, list[float]]
) -> list[Finding]:
    """Return all that a rule tells of some steps."""
    steps = len(next(iter(total.values())))
    window = Window(start_ms=STEP_MS, end_ms=steps * STEP_MS, step_ms=STEP_MS)

    def frame(rows: dict[str, list[float]]) -> Frame:
        return Frame(
            start_ms=STEP_MS,
            step_ms=STEP_MS,
            tags=[{"name": "x", "k": key} for key in rows],
            labels=list(rows),
            values=np.array(list(rows.values()), dtype=float),
        )

    rule.take({"g": frame(good), "t": frame(total)}, Arrived.everything(window))
    known: dict[object, Finding] = {}
    found: list[Finding] = []
    for at_ms, transition in rule.advance(0, steps, STEP_MS):
        for report in rule.report(transition, known.get, time_ms=at_ms, detected_ms=at_ms):
            known[report.key] = report.finding
            found.append(report.finding)
    return found


def test_an_instance_that_is_gone_ends_and_is_not_well_again() -> None:
    """A pod that failed and was scaled down would alarm for ever, or seem to have recovered."""
    rule = ObjectiveRule(example_objective(), STEP_MS)
    failing, gone = 30, 300
    bad = {"pod-1": [0.0] * failing + [NAN] * gone, "pod-2": [60.0] * (failing + gone)}
    total = {"pod-1": [60.0] * failing + [NAN] * gone, "pod-2": [60.0] * (failing + gone)}
    pages = [f for f in told(rule, bad, total) if "pod-1" in f.id and f.urgency == "page"]
    states = list(dict.fromkeys(f.state for f in pages))
    assert states == [FindingState.FIRING, FindingState.FROZEN, FindingState.RESOLVED]
    assert pages[-1].given_up
    assert "no recovery" in pages[-1].explanation
    rows = rule.view({})()
    assert [row["scope"] for row in rows] == [{"k": "pod-2"}]
    assert "have ended (no events in any window): 1" in " ".join(rows[0]["reasons"])


def test_what_everybody_lost_stays_frozen() -> None:
    """If nothing is measured at all nobody knows who is gone: an outage may go on unseen."""
    rule = ObjectiveRule(example_objective(), STEP_MS)
    row = [60.0] * 30 + [NAN] * 300
    found = told(rule, {"a": [0.0] * 30 + [NAN] * 300}, {"a": row})
    pages = [f for f in found if f.urgency == "page"]
    assert pages[-1].state is FindingState.FROZEN


def test_a_title_says_over_which_window() -> None:
    """A reader would compare it with a chart of single steps, which shows another number."""
    rule = ObjectiveRule(example_objective(), STEP_MS)
    found = told(rule, {"a": [60.0] * 100 + [30.0] * 5}, {"a": [60.0] * 105})
    assert found[-1].title.endswith("too fast over 1 min")


VALUES = [1.0, 0.25, NAN, 0.0]
EXPRESSIONS: list[tuple[str, dict[str, Any], list[float]]] = [
    # what, fields, share of bad events by step where the value, or the part, is VALUES of 1
    ("good events", {"good_expr": "name,v,:eq,:sum"}, [0.0, 0.75, NAN, 1.0]),
    ("bad events", {"bad_expr": "name,v,:eq,:sum"}, [1.0, 0.25, NAN, 0.0]),
    ("raw success", {"measure": Measure.GOOD_SHARE}, [0.0, 0.75, NAN, 1.0]),
    ("raw failure", {"measure": Measure.BAD_SHARE}, [1.0, 0.25, NAN, 0.0]),
    ("at most", {"comparison": Comparison(op="lte", value=0.25)}, [1.0, 0.0, NAN, 0.0]),
    ("at least", {"comparison": Comparison(op="gte", value=0.25)}, [0.0, 0.0, NAN, 1.0]),
    ("less", {"comparison": Comparison(op="lt", value=0.25)}, [1.0, 1.0, NAN, 0.0]),
    ("more", {"comparison": Comparison(op="gt", value=1e-07)}, [0.0, 0.0, NAN, 1.0]),
]


@pytest.mark.parametrize(
    ("fields", "bad"), [e[1:] for e in EXPRESSIONS], ids=[e[0] for e in EXPRESSIONS]
)
def test_the_expression_of_a_finding_has_no_value_where_nothing_is(
    fields: dict[str, Any], bad: list[float]
) -> None:
    """A post-mortem said "median 100 % before the impact" of an idle hour."""
    database = MemoryDatabase(step_ms=STEP_MS)
    database.add({"name": "v"}, start_ms=STEP_MS, values=VALUES)
    all_events = [1.0, 1.0, NAN, 1.0]
    database.add({"name": "t"}, start_ms=STEP_MS, values=all_events)
    counts = "good_expr" in fields or "bad_expr" in fields
    given = {"good_expr": None, "bad_expr": None, "total_expr": "name,v,:eq,:sum", **fields}
    if counts:
        given["total_expr"] = "name,t,:eq,:sum"
    elif "comparison" in fields:
        given["measure"] = Measure.COMPARED
    objective = example_objective(**given)
    window = Window(start_ms=STEP_MS, end_ms=4 * STEP_MS, step_ms=STEP_MS)
    seen = evaluate(objective.bad_ratio_expr, database, window).values[0]
    assert seen.tolist() == pytest.approx(bad, nan_ok=True)
    good_expr, total_expr = objective.good_ratio_exprs
    good = evaluate(f"{good_expr},{total_expr},:div", database, window).values[0]
    assert good.tolist() == pytest.approx([1 - share for share in bad], nan_ok=True)


def test_words_say_what_is_counted() -> None:
    """Three bad slices are not "3 events"."""
    rule = ObjectiveRule(
        example_objective(slices=SliceRule(length_s=60, allowed_bad=0.01)), STEP_MS
    )
    found = told(rule, {"a": [60.0] * 100 + [30.0] * 5}, {"a": [60.0] * 105})
    assert "slices of time were bad" in found[-1].explanation
