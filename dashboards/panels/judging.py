"""How far behind the present rules judge, and which can't be evaluated: silence must be told."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboards.markdown import code, plain
from tocsin.client.health_shapes import Health
from tocsin.client.wording import NO_DATA, duration, number

_MAX_FAULTS = 3


def draw(health: Health | None) -> None:
    """Draw how far behind their senders rules judge, as one figure."""
    st.metric(
        "Rules judge",
        lag(health),
        border=True,
        help=why(health),
    )


def lag(health: Health | None) -> str:
    """Return how far behind rules judge, beyond what they wait by plan."""
    watch = health["watch"] if health else None
    if watch is None:
        return NO_DATA
    if not watch["rules"]:
        return "no rules"
    if watch["lag_s"] is None:
        return "not yet"
    return f"{duration(watch['lag_s'])} late" if watch["lag_s"] else "in time"


def why(health: Health | None) -> str:
    """Say what the figure means, whose it is and what came late."""
    told = (
        "A rule judges a step when its data are complete: exporters that send once a minute are "
        "waited for, and spans for some 20 s. Beyond that it is late (`tocsin.watch.lag`)."
    )
    watch = health["watch"] if health else None
    if watch is None:
        return told
    if watch["age_s"]:
        told += f" What was judged last is {duration(watch['age_s'])} old at most."
    if watch["slowest"]:
        told += f" Furthest behind: {plain(watch['slowest'])}."
    if watch["steps_judged_again"]:
        told += f" Late data had {watch['steps_judged_again']} steps judged again."
    if watch["too_late"]:
        told += f" {watch['too_late']} came too late to be judged."
    return told


def draw_faults(health: Health | None) -> None:
    """Draw which rules can't be evaluated; nothing when all can."""
    if health is None or not health["rules_failing"]:
        return
    faults = health["rules_failing"]
    st.warning(
        f"**{number(len(faults))} of the rules can't be evaluated.** {worded(faults)}",
        icon=":material/rule:",
    )


def worded(faults: Mapping[str, str]) -> str:
    """Return the first few faults with their reasons, as Markdown."""
    shown = [f"{code(rule)}: {plain(why)}" for rule, why in list(faults.items())[:_MAX_FAULTS]]
    more = len(faults) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")
