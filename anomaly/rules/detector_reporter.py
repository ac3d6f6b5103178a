"""Turns what happens to a detector's series into findings in the ledger."""

from __future__ import annotations

from math import isfinite

from anomaly.evidence.exemplars import TraceFinder, with_evidence
from anomaly.evidence.near_changes import ChangeFinder, with_changes
from anomaly.findings import FindingState
from anomaly.open_findings import Ledger
from anomaly.rules.detector_finding import (
    anomaly_finding,
    came_back,
    frozen,
    missing_finding,
    resolved,
    updated,
)
from anomaly.rules.detector_watch import DetectorWatch, SeriesChange, Turn


class DetectorReporter:
    """Writes the findings of one detector rule.

    Args:
        watch: The rule's state.
        ledger: Where findings go.
        traces: Where exemplars come from.
        changes: Where changes come from.
    """

    def __init__(
        self, watch: DetectorWatch, ledger: Ledger, traces: TraceFinder, changes: ChangeFinder
    ) -> None:
        self._watch = watch
        self._ledger = ledger
        self._traces = traces
        self._changes = changes

    def report(self, change: SeriesChange, *, time_ms: int, detected_ms: int) -> None:
        """Put the findings that ``change`` makes into the ledger."""
        if change.turn in (Turn.WENT_MISSING, Turn.CAME_BACK):
            self._report_missing(change, time_ms=time_ms, detected_ms=detected_ms)
        rule = self._watch.rule
        key = ("detector", rule.name, change.group)
        known = self._ledger.current(key)
        group = self._watch.groups.scopes[change.group]
        if change.turn is Turn.WENT_WRONG and known is None:
            finding = anomaly_finding(rule, change, group, detected_ms=detected_ms, time_ms=time_ms)
        elif known is None:
            return
        elif change.turn is Turn.WENT_MISSING:
            finding = frozen(known, time_ms=time_ms)
        elif change.turn is Turn.RECOVERED:
            finding = resolved(known, rule, change, time_ms=time_ms)
        elif isfinite(change.value):
            finding = updated(known, rule, change, group, time_ms=time_ms)
        else:
            return
        if finding.state is FindingState.FIRING:
            evidence = self._watch.rule.evidence
            finding = with_evidence(finding, self._traces, evidence, group, self._watch.step_ms)
            finding = with_changes(finding, self._changes, self._watch.step_ms)
        self._ledger.put(key, finding)

    def _report_missing(self, change: SeriesChange, *, time_ms: int, detected_ms: int) -> None:
        rule = self._watch.rule
        key = ("no-data", rule.name, change.group)
        known = self._ledger.current(key)
        if change.turn is Turn.CAME_BACK:
            if known is not None:
                self._ledger.put(key, came_back(known, time_ms=time_ms))
        elif rule.when_missing is not None:
            finding = missing_finding(
                rule,
                rule.when_missing,
                change,
                self._watch.groups.scopes[change.group],
                detected_ms=detected_ms,
                time_ms=time_ms,
                step_ms=self._watch.step_ms,
            )
            finding = with_changes(finding, self._changes, self._watch.step_ms)
            self._ledger.put(key, finding)
