"""A service: traffic, errors, duration, saturation, dependencies, changes, objectives."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import code, plain
from dashboards.navigation import Page
from dashboards.panels import chart_stack, dependencies, objectives, range_bar, service_list
from dashboards.panels.charting import burning, narrowing
from dashboards.panels.charting.narrowing import Narrowing
from dashboards.telemetry.service_panels import query_of, saturation_panels, side_panels
from dashboards.telemetry.services import Service, services_of
from dashboards.telemetry.watched import objectives_of, rules_of
from dashboards.timerange import TimeRange
from dashboards.zone import moment
from tocsin.client.shapes import AnnouncedChange
from tocsin.client.wording import scope

PAGE = Page(title="Service", icon=":material/deployed_code:", order=2)

_MAX_CHANGES = 10
_DAY_MS = 86_400_000
_UNKNOWN = "Nothing is known of {}: no metric and no span of the last minutes names it."


def page() -> None:
    """Draw the choice of a service and the range, the rest in a live fragment."""
    with states.loading():
        names = [one.name for one in sources.known_services()]
    with st.container(horizontal=True, vertical_alignment="bottom", key="service-bar"):
        name = st.selectbox(
            "Service",
            names,
            index=None,
            key=service_list.PARAMETER,
            bind="query-params",
            placeholder="choose a service",
            width=280,
            accept_new_options=True,
        )
        narrowed = narrowing.choose(query_of(name)) if name else narrowing.Narrowing()
        span = range_bar.choose(None)
    st.fragment(_live, run_every=range_bar.run_every(span))(str(name or ""), narrowed, span)


def _services() -> tuple[list[Service], bool]:
    """Return the services, and whether every answer came; what did not is told."""
    metrics = states.value_or_notice(sources.instruments(), "metrics", key="instruments")
    spans = states.value_or_notice(
        sources.services(sources.MAP_MINUTES), "service map", key="services"
    )
    found = services_of(metrics.found if metrics else (), spans)
    return list(found), metrics is not None and spans is not None


def _live(name: str, narrowed: Narrowing, span: TimeRange) -> None:
    services, complete = _services()
    if not name:
        if services or complete:
            service_list.draw(services)
        return
    service = next((one for one in services if one.name == name), None)
    if service is None:
        if complete:
            states.empty(_UNKNOWN.format(plain(name)))
        return
    announced = states.value_or_notice(
        sources.changes(name, sources.now_ms() - _DAY_MS), "changes", key="changes"
    )
    with states.panel("Figures"):
        (figures,) = service_list.figures([service])
        st.markdown(service_list.worded(figures))
    _sides(service, narrowed, span)
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True), states.panel("Saturation"):
        _saturation(service, narrowed, span)
    with right, st.container(border=True), states.panel("Dependencies"):
        dependencies.draw(service)
    with st.container(border=True), states.panel("Changes"):
        _changes(announced)
    with states.panel("Objectives"):
        _watched(name)


def _sides(service: Service, narrowed: Narrowing, span: TimeRange) -> None:
    sides = {words: narrowed.of(panels) for words, panels in side_panels(service).items()}
    if not sides:
        states.empty(
            "No metric of requests, messages or database operations names this service; what spans "
            "tell stands above and under dependencies.",
            icon=":material/timeline:",
        )
    for words, panels in sides.items():
        with st.container(border=True), states.panel(words):
            st.markdown(f"**{words}**")
            chart_stack.draw(panels, span, key=f"side-{words}")


def _saturation(service: Service, narrowed: Narrowing, span: TimeRange) -> None:
    st.markdown("**Saturation**")
    names = states.value_or_notice(sources.metrics_of(service.name), "metrics", key="own-metrics")
    if names is None:
        return
    panels = narrowed.of(saturation_panels(service.name, names["metrics"]))
    if panels:
        chart_stack.draw(panels, span, key="saturation")
    else:
        states.empty("It sends no metric of its process, runtime or container.")
    if names["metrics"]:
        listed = ", ".join(code(row["name"]) for row in names["metrics"][:40])
        more = len(names["metrics"]) + names["left_out"] - 40
        rest = f" and {more} more" if more > 0 else ""
        with st.expander(f"All its metrics ({len(names['metrics']) + names['left_out']})"):
            st.markdown(listed + rest)


def _changes(announced: Sequence[AnnouncedChange] | None) -> None:
    st.markdown("**Deployments and other changes** · last 24 h")
    if announced is None:
        return
    if not announced:
        states.empty("None was announced: `POST /api/v2/changes` from your deployment does it.")
    for change in reversed(announced[-_MAX_CHANGES:]):
        more = f" · [more]({change['url']})" if change["url"] else ""
        where = plain(scope(change["scope"]))
        st.markdown(
            f"`{moment(change['time_ms'])}` {plain(change['kind'])}: {plain(change['summary'])}"
            + (f" · {where}" if where else "")
            + more
        )


def _watched(name: str) -> None:
    slos = states.value_or_notice(sources.slos(), "objectives", key="slos")
    if slos is not None:
        own = objectives_of(name, slos)
        if own:
            objectives.draw(own)
            burning.draw(own, key="budget")
        else:
            states.empty(f"No objective is set for {plain(name)}.", icon=":material/flag:")
    rows = states.value_or_notice(sources.detectors(), "detectors", key="detectors")
    for row in rules_of(name, rows or []):
        where = plain(scope(row["scope"]))
        state = row["fault"] or row["state"].replace("_", " ")
        st.caption(f"Detector {code(row['name'])} · {where or 'all'} · {plain(state)}")


page()
