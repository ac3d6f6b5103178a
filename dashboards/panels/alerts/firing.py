"""What fires now: whom it was told, or what keeps it from being told."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.charts.palette import BadgeColor
from dashboards.markdown import plain
from dashboards.zone import moment
from tocsin.client.response.alert_shapes import Alert
from tocsin.client.response.silence_shapes import moment_ms
from tocsin.client.wording import scope

PARAMETER = "why"
"""In the address: the finding whose path is shown."""

_SHOWN = 60
_NAMED = ("alertname", "urgency", "kind", "severity")


def draw(found: Sequence[Alert], words: str) -> None:
    """Draw a card for each alert that matches, what is held back with its reason."""
    if not found:
        states.empty(
            "Nothing fires. What would fire soon stands under “Below the threshold”, what rang "
            "nobody under “Stayed silent”.",
            icon=":material/check_circle:",
        )
        return
    shown = [one for one in found if matches(text_of(one), words)]
    held = sum(map(is_held, shown))
    st.caption(f"{len(shown)} of {len(found)} alerts, {held} of them held back")
    for one in shown[:_SHOWN]:
        with st.container(border=True):
            _card(one)
    if len(shown) > _SHOWN:
        st.caption(f"{len(shown) - _SHOWN} more: narrow the search, or ask `tocsin alerts list`.")


def _card(one: Alert) -> None:
    worded, color = state_of(one)
    labels = one["labels"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(worded, color=color)
        st.badge(labels.get("urgency", "no urgency"), color="gray")
        title = one["annotations"].get("summary") or labels.get("alertname", one["id"])
        st.markdown(f"**{plain(title)}**", width="stretch")
        if one["incident"]:
            st.page_link(
                "app_pages/war_room.py",
                label=one["incident"],
                icon=":material/e911_emergency:",
                query_params={"incident": one["incident"]},
            )
        ask(one["id"], one["id"])
    told = ", ".join(receiver["name"] for receiver in one["receivers"])
    where = plain(place(one))
    since = f"since {moment(moment_ms(one['startsAt']))}"
    st.markdown(" · ".join(filter(None, (where, since))))
    rung = "nobody" if is_held(one) else plain(told) or "nobody"
    st.caption(f"Rung: {rung} · rule {plain(labels.get('alertname', one['id']))}")


def ask(name: str, place: object) -> None:
    """Draw the button that shows the path of a finding; ``place`` tells two of one from another."""
    st.button(
        "Why?",
        key=f"why-{place}",
        icon=":material/help:",
        type="tertiary",
        help="Stage by stage: why somebody is told, or not",
        on_click=_open,
        args=(name,),
    )


def close() -> None:
    """Show no path any more."""
    st.query_params.pop(PARAMETER, None)


def is_held(one: Alert) -> bool:
    """Say whether an alert is kept from ringing."""
    return one["status"]["state"] == "suppressed"


def state_of(one: Alert) -> tuple[str, BadgeColor]:
    """Return how an alert stands, in words and with a colour."""
    status = one["status"]
    if status["silencedBy"]:
        return "silenced", "gray"
    if status["inhibitedBy"]:
        return "inhibited", "gray"
    if status["mutedBy"]:
        return "under maintenance", "gray"
    return ("firing", "red") if status["state"] == "active" else (status["state"], "gray")


def place(one: Alert) -> str:
    """Return where an alert fires, worded as everywhere."""
    labels = one["labels"].items()
    return scope({name.replace("_", "."): value for name, value in labels if name not in _NAMED})


def text_of(one: Alert) -> str:
    """Return what a search looks in."""
    return " ".join([one["id"], *one["labels"].values(), *one["annotations"].values()])


def matches(text: str, words: str) -> bool:
    """Say whether every word stands in a text.

    >>> matches("Playback in us-east-1", "play EAST"), matches("Playback", "search")
    (True, False)
    """
    return all(word in text.casefold() for word in words.casefold().split())


def _open(name: str) -> None:
    st.query_params[PARAMETER] = name
