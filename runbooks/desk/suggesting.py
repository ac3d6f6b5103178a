"""How bad it is by what people lose: measures of impact with thresholds speak for a severity.

The machine only raises, and never over a person: to somebody who has set the severity the worse one
is suggested, once, in the thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from runbooks.desk.ledger import Ledger
from runbooks.incidents.commands import Record, SetSeverity
from runbooks.incidents.events import MACHINE, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import IMPACTED_STATUSES, Severity
from runbooks.postmortem.impact import ImpactMeasure, MetricReader, figure

LOOK_EVERY_MS = 30_000
MAX_WEIGHED = 20
"""Open incidents whose impact is measured in a turn, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A severity and the figure that speaks for it."""

    severity: Severity
    why: str


class Suggesting:
    """Measures what open incidents cost people, now and then.

    Args:
        ledger: Where incidents are.
        metrics: Evaluates the measures.
        measures: Returns them, as they are configured now.
    """

    def __init__(
        self,
        ledger: Ledger,
        metrics: MetricReader,
        measures: Callable[[], Sequence[ImpactMeasure]],
    ) -> None:
        self._ledger = ledger
        self._metrics = metrics
        self._measures = measures
        self._looked_ms = 0
        self._suggested: dict[str, Severity] = {}

    def tick(self, now_ms: int) -> None:
        """Raise what has become worse by its measures; a chore of the desk's."""
        weighing = [measure for measure in self._measures() if measure.severities]
        if not weighing or now_ms - self._looked_ms < LOOK_EVERY_MS:
            return
        self._looked_ms = now_ms
        hurting = [i for i in self._ledger.incidents() if i.status in IMPACTED_STATUSES]
        self._suggested = {i.id: s for i in hurting if (s := self._suggested.get(i.id))}
        for incident in hurting[:MAX_WEIGHED]:
            found = suggestion(incident, weighing, self._metrics, now_ms)
            if found is not None and found.severity.rank < incident.severity.rank:
                self._say(incident, found)

    def _say(self, incident: Incident, found: Suggestion) -> None:
        if incident.severity_by == MACHINE:
            command = SetSeverity(severity=found.severity, actor=MACHINE, text=found.why)
            self._ledger.execute(incident.id, command)
        elif self._suggested.get(incident.id) is not found.severity:
            self._suggested[incident.id] = found.severity
            text = f"{found.severity} is suggested: {found.why}"
            self._ledger.execute(incident.id, Record(kind=EventKind.SAID, text=text))


def suggestion(
    incident: Incident, measures: Sequence[ImpactMeasure], metrics: MetricReader, now_ms: int
) -> Suggestion | None:
    """Return the worst severity that the measures speak for, None if they speak for none."""
    found = _suggestions(incident, measures, metrics, now_ms)
    return min(found, key=lambda one: one.severity.rank, default=None)


def _suggestions(
    incident: Incident, measures: Sequence[ImpactMeasure], metrics: MetricReader, now_ms: int
) -> Iterator[Suggestion]:
    for measure in measures:
        counted = figure(measure, incident, metrics, now_ms)
        if counted.value is None:
            continue  # not known is no reason
        for severity, at_least in measure.severities:
            if counted.value >= at_least:
                why = f"{measure.title}: {counted.text}, at least {at_least:,g}"
                yield Suggestion(severity=severity, why=why)
