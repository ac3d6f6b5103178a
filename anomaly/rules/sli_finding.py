"""An objective that can't be judged, as a finding: what is not known is said to be so."""

from __future__ import annotations

import math
from dataclasses import replace

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from anomaly.slo.counting import Measure
from anomaly.slo.health import SliFault, SliTransition
from anomaly.slo.objective import Objective
from tocsin.client.wording import clock, duration

# While events go on and nobody knows whether they are good, somebody has to look now.
_URGENCY = {
    SliFault.NO_DATA: Urgency.TICKET,
    SliFault.HALF_MISSING: Urgency.PAGE,
    SliFault.ABSURD: Urgency.TICKET,
    SliFault.PART_UNKNOWN: Urgency.TICKET,
}


def sli_finding(
    objective: Objective, transition: SliTransition, *, detected_ms: int, time_ms: int
) -> Finding:
    """Return the finding of an objective that can't be judged."""
    fault = transition.fault
    title, words = _words(objective, transition, time_ms)
    return Finding(
        # Of what never was nobody knows since when: it has the same name after a restart.
        id=f"slo/{objective.name}/{fault.value}/{transition.since_ms if _begun(transition) else 0}",
        rule=f"slo/{objective.name}/{fault.value}",
        kind=FindingKind.NO_DATA,
        state=FindingState.FIRING,
        urgency=_URGENCY[fault] if objective.wakes else Urgency.TICKET,
        title=title,
        explanation=words,
        scope={"service.name": objective.service},
        started_ms=transition.since_ms,
        detected_ms=detected_ms,
        updated_ms=time_ms,
        ended_ms=None,
        expression=objective.total_expr if fault is SliFault.NO_DATA else objective.bad_ratio_expr,
        window_ms=time_ms - transition.since_ms,
        observed=math.nan,
        baseline=None,
        unit="ratio",
    )


def _begun(transition: SliTransition) -> bool:
    return transition.ever and transition.fault is not SliFault.PART_UNKNOWN


def judged_again(finding: Finding, *, time_ms: int) -> Finding:
    """Return the finding at its end: the objective can be judged again."""
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=f"Since {clock(time_ms)} the objective is measured again.",
        updated_ms=time_ms,
        ended_ms=time_ms,
    )


def _words(objective: Objective, transition: SliTransition, time_ms: int) -> tuple[str, str]:
    name = objective.display_name
    lasts = duration((time_ms - transition.since_ms) / 1_000)
    part = "good" if objective.bad_expr is None else "bad"
    since = clock(transition.since_ms)
    match transition.fault:
        case SliFault.NO_DATA if transition.ever:
            title = f"{name}: not measured for {lasts}"
            words = (
                f"No events have come for this objective since {since}. Whether it is kept is not "
                "known. Either nothing happens any more, or what reports it is silent: "
                f"{objective.total_expr}"
            )
        case SliFault.NO_DATA:
            title = f"{name}: never measured"
            words = (
                "Nothing has ever matched the query for all events of this objective: look for a "
                f"mistake in it, or for a sender that is missing: {objective.total_expr}"
            )
        case SliFault.HALF_MISSING:
            title = f"{name}: {part} events not measured for {lasts}"
            words = (
                f"Events are counted, and nobody reports which of them are {part}: since {since} "
                "this objective is neither kept nor missed, it is not known. Look for who reports "
                f"{objective.part_expr}"
            )
        case SliFault.PART_UNKNOWN:
            title = f"{name}: no bad event has ever been seen, nor anything of its name"
            words = (
                "There are events, and no series has the name by which bad ones are asked for: "
                "either none has failed yet and its sender tells of failures only, or there is a "
                f"slip in the query, and nothing would ever burn: {objective.part_expr}"
            )
        case SliFault.ABSURD if objective.measure is not Measure.EVENTS:
            title = f"{name}: a ratio outside of 0 to 1"
            words = (
                f"For {lasts} the ratio that this objective reads has been above 1 or below 0, so "
                "it means nothing. Look for a percentage, which is to be divided by 100, or for "
                f"lines that are added up: {objective.total_expr}"
            )
        case SliFault.ABSURD:
            title = f"{name}: more {part} events than events"
            words = (
                f"For {lasts} there have been more {part} events than events in all, or fewer than "
                "none, so the ratio means nothing. The two queries don't count the same thing: "
                f"{objective.part_expr} and {objective.total_expr}"
            )
    return title, words
