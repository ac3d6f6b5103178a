"""Sources: who sends what, how often, and what of it was refused and why."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from dashboards.navigation import Page
from tocsin.client.sender_shapes import Source, Sources
from tocsin.client.wording import duration, number

PAGE = Page(
    title="Sources", icon=":material/sensors:", order=1, group="Operate", other_path="sources"
)

_REFRESH = "5s"
_TABLE_ROWS = 500
_SHOWN_REFUSALS = 50


def page() -> None:
    """Draw the page; it keeps itself up to date."""
    _live()


@st.fragment(run_every=_REFRESH)
def _live() -> None:
    with states.loading():
        reading = sources.senders()
    answer = states.value_or_notice(reading, "sources", key="sources")
    if answer is None:
        return
    if not answer["sources"]:
        states.empty(
            "Nobody has sent anything yet. Point an OpenTelemetry exporter, Prometheus or a "
            "spectator client here, or list targets to scrape.",
            icon=":material/sensors_off:",
        )
        return
    with states.panel("Figures"):
        _figures(answer)
    with states.panel("Senders"):
        _table(answer)
    with states.panel("Refusals"):
        _refusals(answer["sources"])


def _figures(answer: Sources) -> None:
    found = answer["sources"]
    refused = sum(part["count"] for one in found for part in one["refused"])
    with st.container(horizontal=True):
        st.metric("Senders", number(len(found)), border=True)
        overdue = sum(one["overdue"] for one in found)
        st.metric("Overdue", number(overdue), border=True, help="Silent for three usual intervals")
        accepted = sum(one["accepted"] for one in found)
        st.metric("Kept in the last hour", number(accepted), border=True)
        st.metric("Refused in the last hour", number(refused), border=True)
    if answer["forgotten"]:
        st.caption(f"{number(answer['forgotten'])} senders were forgotten to make room for others.")


def _table(answer: Sources) -> None:
    now_ms = answer["now_ms"]
    # What needs a look comes first.
    found = sorted(answer["sources"], key=lambda one: (not one["refused"], not one["overdue"]))
    rows = [
        {
            "Sender": sender(one),
            "Instance": one["instance"],
            "Receiver": one["receiver"],
            "From": one["peer"],
            "Last heard": f"{duration(max(0, now_ms - one['last_ms']) / 1000)} ago",
            "Usually every": _interval(one),
            "State": "overdue" if one["overdue"] else "on time",
            "Requests": one["requests"],
            "Kept": one["accepted"],
            "Refused": sum(part["count"] for part in one["refused"]),
            "Client": one["agent"],
        }
        for one in found[:_TABLE_ROWS]
    ]
    st.dataframe(rows, hide_index=True, key="senders")
    if len(found) > _TABLE_ROWS:
        st.caption(f"The first {_TABLE_ROWS} of {number(len(found))} senders.")


def _refusals(found: list[Source]) -> None:
    parts = [(one, part) for one in found for part in one["refused"]]
    if not parts:
        states.empty("Nothing was refused in the last hour.", icon=":material/check_circle:")
        return
    st.subheader("Refused in the last hour", anchor=False)
    parts.sort(key=lambda pair: -pair[1]["count"])
    for one, part in parts[:_SHOWN_REFUSALS]:
        detail = part["detail"] or "no detail is known"
        st.markdown(
            f"**{plain(sender(one))}** · {plain(one['receiver'])} · {number(part['count'])} × "
            f"`{part['reason'].replace('`', '')}`: {plain(detail)}"
        )
    if len(parts) > _SHOWN_REFUSALS:
        st.caption(f"The {_SHOWN_REFUSALS} most frequent of {number(len(parts))} reasons.")


def sender(one: Source) -> str:
    """Return what a sender is called: its name, the services it forwards, or where it is."""
    if one["name"]:
        return one["name"]
    if one["services"]:
        return ", ".join(one["services"])
    return one["peer"] or "unknown"


def _interval(one: Source) -> str:
    interval_ms = one["interval_ms"]
    return "not known yet" if interval_ms is None else duration(interval_ms / 1000)


page()
