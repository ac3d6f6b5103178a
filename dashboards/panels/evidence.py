"""Why it paged: each finding with its expression, what was seen, what was expected."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.markdown import code, plain
from dashboards.zone import clock
from tocsin.client.shapes import Crowd, DiagnosisResult, Finding, NearChange
from tocsin.client.wording import duration, multiple, number, percent, quantity, scope

_MEASURED = {"now", "expected", "noise"}  # in the unit of what is measured
_FOUND = {
    "failed": ":red[:material/cancel:]",
    "late": ":orange[:material/schedule:]",
}
_STATES = {"firing": "red", "frozen": "gray", "resolved": "green"}


def draw(findings: Sequence[Finding], more: Sequence[Crowd] = ()) -> None:
    """Draw the findings, those that fire first, and how many more there are."""
    st.markdown("**Evidence**")
    if not findings:
        states.empty("No finding is attached.")
    ordered = sorted(findings, key=lambda f: (f["state"] != "firing", f["detected_ms"]))
    for position, finding in enumerate(ordered):
        _card(finding, expanded=position == 0)
    for crowd in more:
        st.markdown(counted(crowd))


def counted(crowd: Crowd) -> str:
    """Return how many findings like one there are besides those that are named."""
    firing, seen = number(crowd["firing"]), number(crowd["seen"])
    return f"and **{firing}** more fire like {plain(crowd['title'])} · {seen} seen in all"


def draw_diagnosis(results: Sequence[DiagnosisResult]) -> None:
    """Draw what was looked at before anybody was woken; nothing when nothing was."""
    if results:
        st.markdown("**Diagnosis** · looked at when it opened")
    for result in results:
        state = result["state"] if result["measured"] else "late"
        mark = _FOUND.get(state, ":gray[:material/search:]")
        st.markdown(f"{mark} {plain(result['title'])}: {plain(result['text'])}")


def draw_changes(changes: Sequence[NearChange]) -> None:
    """Draw what was changed shortly before, the nearest first; nothing when nothing was."""
    if changes:
        st.markdown("**Changes shortly before** · near in time, which proves nothing")
    for change in changes:
        st.markdown(changed(change))


def changed(change: NearChange) -> str:
    """Return one change as a line of Markdown with its link."""
    more = f" · [more]({change['url']})" if change["url"] else ""
    return f"`{clock(change['time_ms'])}` {plain(change['text'])}{more}"


def _card(finding: Finding, *, expanded: bool) -> None:
    color = _STATES.get(finding["state"], "gray")
    label = f":{color}-badge[{plain(finding['state'])}] {plain(finding['title'])}"
    with st.expander(label, expanded=expanded):
        st.markdown(plain(finding["explanation"]))
        for line in suspected(finding):
            st.markdown(line)
        st.markdown(compared(finding))
        st.caption(measured(finding))
        st.code(finding["expression"], language=None, wrap_lines=True)
        st.page_link(
            "app_pages/explore.py",
            label="Open in Explore",
            icon=":material/query_stats:",
            query_params={"q": finding["expression"]},
        )


def suspected(finding: Finding) -> list[str]:
    """Return the suspects that the explanation does not tell any more, as lines of Markdown."""
    told = finding["explanation"]
    texts = [one.get("text", "") for one in finding.get("suspects", ())]
    return [f"- suspect: {plain(text)}" for text in texts if text and text not in told]


_ALERT = "alert"
"""The kind of what somebody else measured: it comes without values."""


def compared(finding: Finding) -> str:
    """Return what was seen against what was expected, over which window, where."""
    unit = finding["unit"]
    parts = [
        f"seen **{quantity(finding['observed'], unit)}**",
        f"expected **{quantity(finding['baseline'], unit, missing='none')}**",
        f"over {duration(finding['window_ms'] / 1000)}",
    ]
    if finding["kind"] == _ALERT:
        parts = ["measured by who sent the alert"]
    where = scope(finding["scope"])
    return " · ".join([*parts, plain(where)] if where else parts)


def measured(finding: Finding) -> str:
    """Return the rule, its times and its further numbers."""
    parts = [
        f"began about {clock(finding['started_ms'])}",
        f"detected {clock(finding['detected_ms'])}",
        f"rule {code(finding['rule'])}",
        *(named(name, value, finding["unit"]) for name, value in sorted(finding["values"].items())),
    ]
    return " · ".join(parts)


def named(name: str, value: float | None, unit: str) -> str:
    """Return one further number with the unit that its name says, or the finding's own.

    >>> named("burn_rate_long", 15.08, "ratio"), named("long_s", 120.0, "ratio")
    ('burn rate long 15.1×', 'long 2 min')
    >>> named("coverage", 0.25, "1/s"), named("now", 12.34, "1/s"), named("score", 3.0, "1/s")
    ('coverage 25 %', 'now 12.3/s', 'score 3')
    """
    if name.endswith("_s") and value is not None:
        return f"{plain(name[:-2].replace('_', ' '))} {duration(value)}"
    words = plain(name.replace("_", " "))
    if name == "threshold" or name.startswith("burn_rate"):
        return f"{words} {multiple(value)}"
    if name == "coverage" or name.startswith(("error_budget", "suspect.")):
        return f"{words} {percent(value)}"
    if name in _MEASURED:
        return f"{words} {quantity(value, unit)}"
    return f"{words} {number(value)}"
