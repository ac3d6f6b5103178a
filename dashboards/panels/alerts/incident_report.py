"""How the last days went: how fast incidents were met, who was rung, what is left to do."""

from __future__ import annotations

import streamlit as st

from dashboards import questions, states
from dashboards.panels.machine import figures
from dashboards.panels.machine.figures import Figure
from tocsin.client.response.incident_shapes import IncidentReport, Spread
from tocsin.client.wording import duration, number

_DAYS = {"7 days": 7, "30 days": 30, "90 days": 90, "365 days": 365}
"""How far it looks back, as it stands in the address too."""

_MEASURES = ("detect", "acknowledge", "mitigate", "resolve")


def draw() -> None:
    """Draw the report of the chosen days."""
    st.subheader("How it goes", anchor=False)
    days = st.radio(
        "Days",
        list(_DAYS),
        index=1,
        horizontal=True,
        key="days",
        bind="query-params",
        label_visibility="collapsed",
    )
    report = states.value_or_notice(questions.report(_DAYS[str(days)]), "report", key="report")
    if report is None:
        return
    if not report["incidents"]:
        states.empty(f"No incident within {days}.", icon=":material/check_circle:")
        return
    _figures(report)
    _loads(report)


def _figures(report: IncidentReport) -> None:
    figures.draw(_figure(name, report) for name in _MEASURES)
    found = ", ".join(f"{count} {name}" for name, count in report["by_severity"].items() if count)
    cost = "" if report["cost"] is None else f", which cost {number(report['cost'])}"
    st.caption(
        f"{_counted(report['incidents'], 'incident')} ({found or 'none with a severity'}), "
        f"{report['declined']} declined, {report['merged']} merged · "
        f"{number(report['person_hours'])} h of one person{cost} · "
        f"{_counted(report['open_tasks'], 'task')} open, {report['overdue_tasks']} overdue"
    )


def _figure(name: str, report: IncidentReport) -> Figure:
    spread: Spread = report[name]  # type: ignore[literal-required]  # one of four alike
    told = f"mean {_worded(spread['mean_ms'])}, longest {_worded(spread['longest_ms'])}"
    return Figure(
        label=f"To {name}",
        value=_worded(spread["median_ms"]),
        meaning=f"The median of {spread['count']}; {told}",
    )


def _loads(report: IncidentReport) -> None:
    if not report["loads"]:
        return
    rows = [
        {
            "Who": load["person"] or "nobody in particular",
            "Pages": load["pages"],
            "At night": load["night_pages"],
            "Nights": load["nights"],
        }
        for load in report["loads"]
    ]
    st.markdown("**Who was rung**")
    st.dataframe(rows, hide_index=True, key="loads", alt=f"{len(rows)} people who were rung")


def _worded(time_ms: float | None) -> str:
    return "none yet" if time_ms is None else duration(time_ms / 1_000)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
