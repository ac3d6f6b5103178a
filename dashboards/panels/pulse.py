"""The pulse of whatever is watched: what the operator pinned, else the traffic of what is there."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.charts.marks import Marks, of_incident
from dashboards.panels import chart_stack
from dashboards.panels.board_values import values_of
from dashboards.telemetry.boards import pinned_panels
from dashboards.telemetry.panel import Panel
from dashboards.telemetry.service_panels import pulse_panels, red_panels
from dashboards.telemetry.services import Service
from dashboards.timerange import TimeRange
from tocsin.client.conventions import Side
from tocsin.client.shapes import Incident

_MAX_PROPOSED = 4
_NOTHING = (
    "No requests, messages or calls are measured yet. Point an OpenTelemetry SDK at port 4318, "
    "have Prometheus metrics scraped, or pin charts with a file in the configuration directory's "
    "dashboards/."
)
_MAX_INSTRUMENTS = 2
_MAX_SERVICES = 2


def draw(
    page: str, span: TimeRange, *, marks: Marks | None = None, involved: Sequence[str] = ()
) -> tuple[Panel, ...]:
    """Draw the pulse and return what was drawn.

    Args:
        page: Whose pinned dashboards count: ``overview`` or ``war_room``.
        span: The time shown.
        marks: Drawn over every row.
        involved: Services whose own charts come first when nothing is pinned.
    """
    boards = states.value_or_notice(sources.boards(), "dashboards", key="boards") or []
    panels = pinned_panels(boards, page, values_of(boards, key="pulse"))
    if not panels:
        metrics = states.value_or_notice(sources.instruments(), "metrics", key="pulse-metrics")
        if metrics is None:
            return ()  # what there is to draw is not known
        panels = _found(involved)
    if panels:
        chart_stack.draw(panels, span, marks=marks, key="pulse")
    else:
        states.empty(_NOTHING, icon=":material/timeline:")
    return panels


def draw_proposed(incident: Incident, span: TimeRange, drawn: Sequence[Panel]) -> None:
    """Draw the charts that the incident itself proposes and that are not ``drawn`` already."""
    shown = {panel.expression for panel in drawn}
    panels = [
        Panel(title=chart["title"], expression=chart["expr"], unit=chart["unit"])
        for chart in incident["charts"][:_MAX_PROPOSED]
        if chart["expr"] not in shown
    ]
    if panels:
        st.markdown("**Signals of this incident**")
        marks = of_incident(incident, now_ms=sources.now_ms())
        chart_stack.draw(panels, span, marks=marks, key="proposed")


def _found(involved: Sequence[str]) -> tuple[Panel, ...]:
    services = sources.known_services()
    own = [one for one in services if one.name in involved][:_MAX_SERVICES]
    panels = [panel for service in own for panel in _entry_panels(service)]
    return tuple(panels) or pulse_panels(services, most=_MAX_INSTRUMENTS)


def _entry_panels(service: Service) -> tuple[Panel, ...]:
    instruments = service.of_side(Side.SERVED) or service.of_side(Side.CONSUMED)
    return red_panels(service.name, instruments) if instruments else ()
