"""What is watched and does not fire: how far each detector and objective is from doing so."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.panels.alerts import firing
from tocsin.client.shapes import DetectorRow, Slo
from tocsin.client.wording import multiple, number, quantity, scope

_TABLE_ROWS = 500


def draw(detectors: Sequence[DetectorRow] | None, slos: Sequence[Slo] | None, words: str) -> None:
    """Draw both as tables, the nearest to firing first."""
    if not detectors and not slos:
        if detectors is not None and slos is not None:
            states.empty("No rule watches anything yet: write objectives or detectors.")
        return
    calm = [one for one in slos or () if one["state"] != "burning"]
    quiet = [one for one in detectors or () if one["state"] != "firing"]
    drawn = [_objectives(calm, words), _detectors(quiet, words)]
    if not any(drawn):
        told = "None of them is like that" if calm or quiet else "All that is watched fires"
        states.empty(f"{told}.", icon=":material/search_off:")


def _objectives(slos: Sequence[Slo], words: str) -> bool:
    """Draw them, and say whether there was anything to draw."""
    rows = [
        (nearness(burn["long"], burn["threshold"]), one, burn)
        for one in slos
        for burn in one["burn_rates"]
        if firing.matches(f"{one['name']} {one['display_name']} {scope(one['scope'])}", words)
    ]
    if not rows:
        return False
    st.markdown("**Objectives that do not burn**")
    rows.sort(key=lambda row: -row[0])
    st.dataframe(
        [
            {
                "Objective": one["display_name"],
                "Where": scope(one["scope"]),
                "Tier": burn["tier"],
                "Burns": multiple(burn["long"]),
                "Fires at": multiple(burn["threshold"]),
                "Because": burn["verdict"],
            }
            for _, one, burn in rows[:_TABLE_ROWS]
        ],
        hide_index=True,
        key="below-slos",
        alt=f"{len(rows)} burn rates below their thresholds",
    )
    return True


def _detectors(found: Sequence[DetectorRow], words: str) -> bool:
    """Draw them, and say whether there was anything to draw."""
    shown = [
        one
        for one in found
        if firing.matches(f"{one['name']} {one['display_name']} {scope(one['scope'])}", words)
    ]
    if not shown:
        return False
    st.markdown("**Detectors that do not fire**")
    shown.sort(key=lambda one: -abs(one["score"] or 0.0))
    st.dataframe(
        [
            {
                "Detector": one["display_name"],
                "Where": scope(one["scope"]),
                "State": one["state"],
                "Score": number(one["score"]),
                "Now": quantity(one["value"], one["unit"]),
                "Expected": quantity(one["expected"], one["unit"]),
                "Why not judged": one["fault"] or "",
            }
            for one in shown[:_TABLE_ROWS]
        ],
        hide_index=True,
        key="below-detectors",
        alt=f"{len(shown)} series that detectors watch",
    )
    if len(shown) > _TABLE_ROWS:
        st.caption(f"The first {_TABLE_ROWS} of {len(shown)} series.")
    return True


def nearness(value: float | None, threshold: float) -> float:
    """Return the share of a threshold that is reached, -1 where nothing is measured.

    >>> nearness(7.2, 14.4), nearness(None, 6.0)
    (0.5, -1.0)
    """
    return value / threshold if value is not None and threshold else -1.0
