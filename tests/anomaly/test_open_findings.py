"""Who is told what, and when nothing needs to be told."""

from __future__ import annotations

from dataclasses import replace

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from anomaly.open_findings import OpenFindings
from anomaly.testing import FindingList

FINDING = Finding(
    id="slo/a/eu/page/1",
    rule="slo/a/page-fast",
    kind=FindingKind.SLO_BURN,
    state=FindingState.FIRING,
    urgency=Urgency.PAGE,
    title="t",
    explanation="e",
    scope={},
    started_ms=0,
    detected_ms=0,
    updated_ms=0,
    ended_ms=None,
    expression="x",
    window_ms=0,
    observed=1.0,
    baseline=None,
    unit="ratio",
)


def at(time_ms: int, **changes: object) -> Finding:
    return replace(FINDING, updated_ms=time_ms, observed=time_ms / 1.0, **changes)  # type: ignore[arg-type]


def test_numbers_alone_are_told_twice_a_minute() -> None:
    heard = FindingList()
    ledger = OpenFindings([heard])
    for time_ms in range(0, 70_000, 5_000):
        ledger.put("k", at(time_ms))
    assert [f.updated_ms for f in heard.received] == [0, 30_000, 60_000]
    assert ledger.firing()[0].updated_ms == 65_000


def test_what_matters_is_told_at_once() -> None:
    heard = FindingList()
    ledger = OpenFindings([heard])
    ledger.put("k", at(0))
    ledger.put("k", at(1, exemplar_trace_ids=("a",)))
    ledger.put("k", at(2, exemplar_trace_ids=("a",), state=FindingState.FROZEN))
    ledger.put("k", at(3, exemplar_trace_ids=("a",), state=FindingState.RESOLVED))
    ledger.put("k", at(4, id="slo/a/eu/page/2"))
    assert [f.updated_ms for f in heard.received] == [0, 1, 2, 3, 4]
    assert [f.updated_ms for f in ledger.everything()] == [4, 3]


def test_the_past_is_gone_through_in_silence() -> None:
    """What opened and ended then is known but not told; what is still open is told once."""
    heard = FindingList()
    ledger = OpenFindings([heard])
    ledger.mute()
    ledger.put("old", at(0, id="old"))
    ledger.put("old", at(1, id="old", state=FindingState.RESOLVED))
    ledger.put("open", at(2, id="open"))
    assert heard.received == []
    ledger.unmute()
    assert [f.id for f in heard.received] == ["open"]
    assert {f.id for f in ledger.everything()} == {"old", "open"}


def test_a_sink_that_fails_does_not_keep_others_from_knowing() -> None:
    class Broken:
        def receive(self, finding: Finding) -> None:
            raise RuntimeError(finding.id)

    heard = FindingList()
    OpenFindings([Broken(), heard]).put("k", at(0))
    assert len(heard.received) == 1


def test_resolved_findings_are_bounded() -> None:
    ledger = OpenFindings([])
    for number in range(1_500):
        ledger.put(number, at(number, id=str(number), state=FindingState.RESOLVED))
    assert len(ledger.everything()) == 1_000
