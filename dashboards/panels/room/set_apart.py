"""Who is hit: the tags that what fails has in common, against the half hour before."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import questions, sources, states
from dashboards.markdown import plain
from tocsin.client.response.screen_shapes import Screen
from tocsin.client.shapes import Finding, Slo

_BURN, _FIRING = "slo_burn", "firing"
_MOST = 3


def draw(screen: Screen) -> None:
    """Draw it for each objective whose budget burns."""
    burning = [
        one
        for one in screen["incident"]["findings"]
        if one["kind"] == _BURN and one["state"] == _FIRING
    ]
    if not burning:
        return
    st.markdown("**Who is hit** · tags that the failing part has, against the half hour before")
    slos = states.value_or_notice(sources.slos(), "objectives", key="hit-slos")
    if slos is None:
        return
    for finding in burning[:_MOST]:
        objective = of_finding(finding, slos)
        if objective is None:
            st.caption(
                f"{plain(finding['subject'])}: not known: its objective is not there any more"
            )
        else:
            _draw(objective, screen["since_ms"], screen["until_ms"] or sources.now_ms())


def of_finding(finding: Finding, slos: Sequence[Slo]) -> Slo | None:
    """Return the objective, in its place, that a finding is about.

    A finding's scope names the service besides, which an objective need not group by.
    """
    name, scope = finding["rule"].split("/")[1:2], finding["scope"].items()
    near = (one for one in slos if [one["name"]] == name and one["scope"].items() <= scope)
    return next(near, None)


def _draw(objective: Slo, start_ms: int, end_ms: int) -> None:
    total, good = objective["total_expr"], objective["good_expr"]
    found = questions.set_apart(f"{total},{good},:sub", total, start_ms, end_ms)
    title = plain(objective["display_name"] or objective["name"])
    if found.value is None:
        st.caption(
            f"{title}: not known: {plain(found.error.message if found.error else 'not asked yet')}"
        )
        return
    said = found.value["words"]
    if not found.value["by"]:
        said = "its series have no tags that could tell."
    st.markdown(f"{title}: {plain(said)}")
