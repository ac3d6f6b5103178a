"""What people know of a finding outlives that it is judged again because data came late."""

from __future__ import annotations

from anomaly.engine.reconciling import corrections
from anomaly.findings import Suspect, Urgency
from anomaly.testing import example_finding

SUSPECT = Suspect(service="pay", share=0.9, reason="it fails", path=("web", "pay"))


def test_what_was_found_out_about_a_finding_stays_with_it() -> None:
    """On a loaded machine data come late all the time: the page would lose its suspects again."""
    told = example_finding(
        id="first",
        detected_ms=17_000,
        urgency=Urgency.TICKET,
        suspects=(SUSPECT,),
        values={"burn_rate_long": 9.0, "suspect.pay": 0.9},
        exemplar_trace_ids=("a",),
    )
    again = example_finding(id="second", detected_ms=30_000, values={"burn_rate_long": 12.0})
    ((key, found),) = corrections({"k": told}, {"k": again}, {}, 40_000)
    assert (key, found.id, found.detected_ms) == ("k", "first", 17_000)
    assert (found.suspects, found.exemplar_trace_ids) == ((SUSPECT,), ("a",))
    assert found.values == {"burn_rate_long": 12.0, "suspect.pay": 0.9}
    assert found.urgency is Urgency.TICKET, "nobody is woken by a correction alone"
