"""Turns what happens to an objective's alerts into findings in the ledger."""

from __future__ import annotations

from anomaly.evidence.exemplars import TraceFinder, with_evidence
from anomaly.evidence.near_changes import ChangeFinder, with_changes
from anomaly.findings import FindingState
from anomaly.open_findings import Ledger
from anomaly.rules.objective_finding import frozen, leading, open_finding, resolved, updated
from anomaly.slo.alert import Change
from anomaly.slo.watch import GroupChange, ObjectiveWatch


class ObjectiveReporter:
    """Writes the findings of one objective.

    Args:
        watch: The objective's state.
        ledger: Where findings go.
        traces: Where exemplars come from.
        changes: Where changes come from.
    """

    def __init__(
        self, watch: ObjectiveWatch, ledger: Ledger, traces: TraceFinder, changes: ChangeFinder
    ) -> None:
        self._watch = watch
        self._ledger = ledger
        self._traces = traces
        self._changes = changes

    def report(self, change: GroupChange, *, time_ms: int, detected_ms: int) -> None:
        """Put the finding that ``change`` makes into the ledger."""
        objective = self._watch.objective
        key = ("slo", objective.name, change.group, change.urgency)
        budget = self._watch.budget(change.group)
        known = self._ledger.current(key)
        if change.change is Change.OPENED or known is None:
            if change.change is Change.RESOLVED:
                return
            reading = leading(change.readings)
            started_ms = self._watch.onset_ms(change.group, reading, time_ms)
            finding = open_finding(
                objective,
                change,
                budget,
                started_ms=started_ms,
                detected_ms=detected_ms,
                time_ms=time_ms,
            )
        elif change.change is Change.FROZEN:
            since_ms = change.alert.blind_since_ms or time_ms
            finding = frozen(known, since_ms - self._watch.step_ms, time_ms=time_ms)
        elif change.change is Change.RESOLVED:
            finding = resolved(known, objective, change, budget, time_ms=time_ms)
        else:
            finding = updated(known, objective, change, budget, time_ms=time_ms)
        if finding.state is FindingState.FIRING:
            evidence = self._watch.objective.evidence
            finding = with_evidence(
                finding, self._traces, evidence, change.scope, self._watch.step_ms
            )
            finding = with_changes(finding, self._changes, self._watch.step_ms)
        self._ledger.put(key, finding)
