"""Alert policies of OpenSLO documents decide when an objective alerts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from anomaly.arrivals import Arrived
from anomaly.findings import Urgency
from anomaly.slo.alert import Transition
from anomaly.slo.documents.compiler import compile_objectives
from anomaly.slo.documents.openslo import read_openslo
from anomaly.slo.objective import Objective
from anomaly.slo.policy import Policy
from anomaly.slo.testing import example_objective
from anomaly.slo.tiers import tiers_of
from anomaly.slo.watch import AlertTransition, ObjectiveWatch
from collectors.model import Frame
from collectors.stacklang.lines.database import Window

CONDITION = """\
severity: SEVERITY, condition: {kind: burnrate, op: OP, threshold: 2.5, lookbackWindow: 1h,
  alertAfter: 5m}"""
FILES = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  service: s
  indicator:
    metadata: {name: i}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: tocsin, spec: {query: 'name,g,:eq,:sum'}}}
        total: {metricSource: {type: tocsin, spec: {query: 'name,t,:eq,:sum'}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
  alertPolicies: [POLICIES]
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
spec:
  alertWhenBreaching: BREACHING
  conditions: [{conditionRef: CONDITION}]
  notificationTargets: [{targetRef: mail}]
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: much}
spec: {WHEN}
"""


def compiled(
    *,
    policies: str = "{alertPolicyRef: fast}",
    op: str = "gte",
    severity: str = "critical",
    condition: str = "much",
    breaching: str = "true",
) -> Objective:
    when = CONDITION.replace("OP", op).replace("SEVERITY", severity)
    text = FILES.replace("POLICIES", policies).replace("WHEN", when)
    text = text.replace("BREACHING", breaching).replace("CONDITION", condition)
    (objective,) = compile_objectives(read_openslo(text, file="x.yaml"))
    return objective


def test_a_policy_takes_the_place_of_the_pairs() -> None:
    """Whoever wrote a condition believes that it decides."""
    found = compiled()
    (tier,) = tiers_of(found, 10_000)
    assert (tier.name, tier.urgency, tier.long_s, tier.short_s) == (
        "fast",
        Urgency.PAGE,
        3_600,
        3_600,
    )
    assert (tier.factor, tier.after_s, tier.limit < 2.5) == (Fraction("2.5"), 300, True)
    assert any("mail) is not mapped" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("changed", "urgency", "words"),
    [
        ({"severity": "warning"}, Urgency.TICKET, ""),
        ({"op": "lte"}, Urgency.PAGE, "read as gte"),
        ({"policies": "fast"}, Urgency.PAGE, ""),
        ({"policies": "slow"}, None, "'slow' names no AlertPolicy"),
        ({"condition": "little"}, None, "'little', which names no AlertCondition"),
        ({"breaching": "false"}, None, "so it never alerts"),
    ],
)
def test_what_of_a_policy_has_no_effect_is_told(
    changed: dict[str, str], urgency: Urgency | None, words: str
) -> None:
    """Alerts that never come are believed in until the outage."""
    found = compiled(**changed)
    assert [one.urgency for one in found.policies] == ([urgency] if urgency else [])
    assert words in " ".join(found.remarks)
    if urgency is None:
        assert "pairs of windows decide instead" in " ".join(found.remarks)
        assert len(tiers_of(found, 10_000)) == 4


@pytest.mark.parametrize(
    ("threshold", "inclusive", "after_s", "opens_at"),
    [(10, True, 0, 1), (10, True, 50, 6), (10, False, 0, None), (9, False, 30, 4)],
)
def test_a_policy_fires_at_its_threshold_and_after_its_time(
    threshold: int, inclusive: bool, after_s: int, opens_at: int | None
) -> None:
    """One step too early is a page for a blip; never is an outage that nobody hears of."""
    policy = Policy(
        name="p",
        urgency=Urgency.PAGE,
        lookback_s=10,
        threshold=Fraction(threshold),
        inclusive=inclusive,
        after_s=after_s,
    )
    watch = ObjectiveWatch(example_objective(policies=(policy,), counter=False), 10_000)
    window = Window(start_ms=10_000, end_ms=100_000, step_ms=10_000)
    total = np.full((1, 10), 1_000.0)
    # A tenth of all events is ten times the budget of one in a hundred.
    good = total * 0.9
    part, whole = (
        Frame(start_ms=10_000, step_ms=10_000, tags=[{"k": "x"}], labels=["x"], values=values)
        for values in (good, total)
    )
    watch.take(part, whole, Arrived.everything(window))
    opened = [
        at_ms // 10_000
        for at_ms, moved in watch.advance(0, 10, 10_000)
        if isinstance(moved, AlertTransition) and moved.kind is Transition.OPENED
    ]
    assert opened == ([opens_at] if opens_at else [])
