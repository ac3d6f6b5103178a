"""Who is told what, and when nothing needs to be told."""

from __future__ import annotations

from typing import Any

from anomaly.findings import Finding, FindingState
from anomaly.open_findings import OpenFindings
from anomaly.testing import FindingList, example_finding


def at(time_ms: int, **fields: Any) -> Finding:
    return example_finding(updated_ms=time_ms, observed=time_ms / 1.0, started_ms=0, **fields)


def test_numbers_alone_are_told_twice_a_minute() -> None:
    """Otherwise every step would write to everybody who listens."""
    heard = FindingList()
    findings = OpenFindings([heard])
    for time_ms in range(0, 70_000, 5_000):
        findings.put("k", at(time_ms))
    assert [f.updated_ms for f in heard.received] == [0, 30_000, 60_000]
    assert findings.firing()[0].updated_ms == 65_000


def test_what_matters_is_told_at_once() -> None:
    """Otherwise an end or a new trace would wait for the next refresh."""
    heard = FindingList()
    findings = OpenFindings([heard])
    findings.put("k", at(0))
    findings.put("k", at(1, exemplar_trace_ids=("a",)))
    findings.put("k", at(2, exemplar_trace_ids=("a",), state=FindingState.FROZEN))
    findings.put("k", at(3, exemplar_trace_ids=("a",), state=FindingState.RESOLVED))
    findings.put("k", at(4, id="slo/a/eu/page/2"))
    assert [f.updated_ms for f in heard.received] == [0, 1, 2, 3, 4]
    assert [f.updated_ms for f in findings.everything()] == [4, 3]


def test_the_past_is_gone_through_in_silence() -> None:
    """What opened and ended then is known but not told; what is still open is told once."""
    heard = FindingList()
    findings = OpenFindings([heard])
    findings.mute()
    findings.put("old", at(0, id="old"))
    findings.put("old", at(1, id="old", state=FindingState.RESOLVED))
    findings.put("open", at(2, id="open"))
    assert heard.received == []
    findings.unmute()
    assert [f.id for f in heard.received] == ["open"]
    assert {f.id for f in findings.everything()} == {"old", "open"}


def test_a_sink_that_fails_does_not_keep_others_from_knowing() -> None:
    """Otherwise one broken listener would silence all."""

    class Broken:
        def receive(self, finding: Finding) -> None:
            raise RuntimeError(finding.id)

    heard = FindingList()
    OpenFindings([Broken(), heard]).put("k", at(0))
    assert len(heard.received) == 1


def test_resolved_findings_are_bounded() -> None:
    """Otherwise memory would grow with every incident ever."""
    findings = OpenFindings([])
    for number in range(1_500):
        findings.put(number, at(number, id=str(number), state=FindingState.RESOLVED))
    assert len(findings.everything()) == 1_000
