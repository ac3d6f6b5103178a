"""Why it paged: each finding with its expression, what was seen, what was expected."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.phrasing import clock, code, number, plain, quantity, scope, window
from tocsin.client import Finding

_STATES = {"firing": "red", "frozen": "gray", "resolved": "green"}


def draw(findings: Sequence[Finding]) -> None:
    """Draw the findings, those that fire first."""
    st.markdown("**Evidence**")
    if not findings:
        states.empty("No finding is attached.")
    for finding in sorted(findings, key=lambda f: (f["state"] != "firing", f["detected_ms"])):
        _card(finding)


def _card(finding: Finding) -> None:
    color = _STATES.get(finding["state"], "gray")
    label = f":{color}-badge[{plain(finding['state'])}] {plain(finding['title'])}"
    with st.expander(label, expanded=finding["state"] == "firing"):
        st.markdown(plain(finding["explanation"]))
        st.markdown(compared(finding))
        st.caption(measured(finding))
        st.code(finding["expression"], language=None, wrap_lines=True)
        st.page_link(
            "app_pages/explore.py",
            label="Open in Explore",
            icon=":material/query_stats:",
            query_params={"q": finding["expression"]},
        )


def compared(finding: Finding) -> str:
    """Return what was seen against what was expected, over which window, where."""
    unit = finding["unit"]
    parts = [
        f"seen **{quantity(finding['observed'], unit)}**",
        f"expected **{quantity(finding['baseline'], unit)}**",
        f"over {window(finding['window_ms'] / 1000)}",
    ]
    where = scope(finding["scope"])
    return " · ".join([*parts, plain(where)] if where else parts)


def measured(finding: Finding) -> str:
    """Return the rule, its times and its further numbers."""
    parts = [
        f"began about {clock(finding['started_ms'])}",
        f"detected {clock(finding['detected_ms'])} UTC",
        f"rule {code(finding['rule'])}",
        *(f"{plain(name)} {number(value)}" for name, value in sorted(finding["values"].items())),
    ]
    return " · ".join(parts)
