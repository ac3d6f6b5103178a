"""The five answers, composed. Pure but for the expressions that are evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbooks.automation.runbook import Runbook
from runbooks.automation.state import Run
from runbooks.diagnosis.cause import Cause, cause_of
from runbooks.diagnosis.sentence import sentence
from runbooks.first_screen.kpi import Kpi, kpis_of, worst_course
from runbooks.first_screen.next_step import NextStep, next_step
from runbooks.first_screen.people import People
from runbooks.first_screen.trend import Trend
from runbooks.incidents.incident import Incident
from runbooks.postmortem.impact import Figure, ImpactMeasure, MetricReader, figures

NO_MEASURES = "what people lose is not measured: no measures of impact are configured"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstScreen:
    """What is broken for whom, since when and which way, why, who, and what next.

    ``impact_note`` says why there are no figures of impact; empty if there are.
    """

    sentence: str
    since_ms: int
    until_ms: int | None
    trend: Trend
    kpis: tuple[Kpi, ...]
    impact: tuple[Figure, ...]
    impact_note: str
    cause: Cause
    people: People
    next: NextStep


def first_screen(
    incident: Incident,
    *,
    metrics: MetricReader,
    measures: Sequence[ImpactMeasure],
    people: People,
    runs: Sequence[Run],
    library: Mapping[str, Runbook],
    now_ms: int,
) -> FirstScreen:
    """Return the first screen of ``incident``.

    Args:
        incident: With its findings as they are now.
        metrics: Evaluates expressions.
        measures: What counts as impact.
        people: Who is on it.
        runs: Of its runbooks, the newest first.
        library: Runbooks by name.
        now_ms: The present, epoch milliseconds.
    """
    kpis, cause = kpis_of(incident, metrics, now_ms), cause_of(incident)
    return FirstScreen(
        sentence=sentence(incident),
        since_ms=incident.impact_start_ms,
        until_ms=incident.impact[-1].end_ms,
        trend=worst_course(kpis),
        kpis=tuple(kpis),
        impact=tuple(figures(measures, incident, metrics, now_ms)),
        impact_note="" if measures else NO_MEASURES,
        cause=cause,
        people=people,
        next=next_step(incident, cause, runs, library),
    )
