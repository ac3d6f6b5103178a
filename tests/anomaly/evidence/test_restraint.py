"""Pages that wait for a change to settle: told at once, paged when they last."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomaly.evidence.exemplars import Evidence
from anomaly.evidence.restraint import Restraint
from anomaly.findings import Finding, FindingState, NearChange, Relation, Urgency
from anomaly.rules.detector_reader import read_rules
from anomaly.testing import example_finding
from collectors.errors import DocumentError

T0 = 1_700_000_000_000
MINUTE_MS = 60_000
DOCUMENT = """
apiVersion: tocsin/v1
kind: Detector
metadata: {{name: orders}}
spec: {{expr: "name,orders,:eq,:sum", urgency: page, settle: {settle}}}
"""


def change(relation: Relation = Relation.SAME_SERVICE, at_ms: int = T0) -> NearChange:
    return NearChange(
        id="c1",
        time_ms=at_ms,
        kind="deployment",
        summary="shop 1.2",
        service="shop",
        scope={},
        url="",
        relation=relation,
        before_ms=0,
    )


def found(at_ms: int, *changes: NearChange, state: FindingState = FindingState.FIRING) -> Finding:
    return example_finding(
        started_ms=T0, detected_ms=T0, updated_ms=at_ms, changes=changes, state=state
    )


def test_what_settles_is_told_and_wakes_nobody_and_what_lasts_pages() -> None:
    """Every deployment would ring for its restart, or a bad one would never ring at all."""
    restraint = Restraint(None)
    held = restraint.judged(found(T0 + 10_000, change()), Evidence(), 2 * MINUTE_MS)
    assert held.urgency is Urgency.TICKET
    assert held.explanation.endswith(
        "It may come from the deployment of shop at 22:13:20 UTC (shop 1.2), which is let settle "
        "for 2 min as the detector says: nobody is woken before 22:15:20 UTC; what still fires "
        "then is paged."
    )
    assert restraint.judged(held, Evidence(), 2 * MINUTE_MS) == held, "said twice"
    lasting = restraint.judged(found(T0 + 2 * MINUTE_MS, change()), Evidence(), 2 * MINUTE_MS)
    assert (lasting.urgency, lasting.explanation) == (Urgency.PAGE, "It burns.")
    again = restraint.judged(
        found(T0 + 3 * MINUTE_MS, change(at_ms=T0 + 3 * MINUTE_MS)), Evidence(), 2 * MINUTE_MS
    )
    assert again.urgency is Urgency.PAGE, "another change would let people sleep who were woken"


def test_what_is_over_while_it_settles_never_rang_and_is_forgotten() -> None:
    """The next failure, long after, must not pass for one that was held back."""
    restraint = Restraint(None)
    restraint.judged(found(T0, change()), Evidence(), MINUTE_MS)
    over = found(T0 + 30_000, change(), state=FindingState.RESOLVED)
    assert restraint.judged(over, Evidence(), MINUTE_MS) is over
    ticket = example_finding(urgency=Urgency.TICKET, updated_ms=T0 + 90_000)
    assert restraint.judged(ticket, Evidence(), MINUTE_MS).urgency is Urgency.TICKET


@pytest.mark.parametrize(
    ("changes", "settle_ms"),
    [
        ((), MINUTE_MS),
        ((change(),), 0),
        ((change(Relation.SAME_REGION),), MINUTE_MS),
        ((change(Relation.SUSPECT),), MINUTE_MS),
        ((change(at_ms=T0 - MINUTE_MS),), MINUTE_MS),
        ((change(at_ms=T0 + 1),), MINUTE_MS),
    ],
)
def test_nothing_else_waits(changes: tuple[NearChange, ...], settle_ms: int) -> None:
    """A change elsewhere, one long settled, one still to come: each would hide an outage."""
    assert Restraint(None).judged(found(T0, *changes), None, settle_ms).urgency is Urgency.PAGE


def test_a_document_says_how_long() -> None:
    """Longer than changes are looked for, it would promise what is not kept."""
    (rule,) = read_rules(DOCUMENT.format(settle="90s"), file=str(Path("d.yaml")))
    assert rule.settle_ms == 90_000
    with pytest.raises(DocumentError, match="at most 1h"):
        read_rules(DOCUMENT.format(settle="2h"), file=str(Path("d.yaml")))
