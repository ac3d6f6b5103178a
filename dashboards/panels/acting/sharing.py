"""Taking an incident elsewhere: Markdown, CSV, PDF, and a link for those without a token."""

from __future__ import annotations

import re

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from dashboards.panels.acting import asking, brief, sending
from dashboards.zone import moment
from tocsin.client.errors import ClientError
from tocsin.client.shapes import Incident

_DAYS = (1, 7)
_MADE = "public-link-made"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def draw(incident: Incident) -> None:
    """Draw the button behind which copies and exports are."""
    with st.popover("Share", icon=":material/share:", key="share-popover"):
        st.caption("Copy as Markdown, for Slack or any other chat")
        st.code(brief.in_markdown(incident, _address(incident)), language=None, wrap_lines=True)
        name = _UNSAFE.sub("-", incident["id"])
        with st.container(horizontal=True):
            st.download_button(
                "Timeline as CSV",
                brief.as_csv(brief.timeline_rows(incident)),
                file_name=f"{name}-timeline.csv",
                mime="text/csv",
                icon=":material/download:",
                key="timeline-csv",
                on_click="ignore",
            )
            if incident["post_mortem"]:
                st.download_button(
                    "Post-mortem as PDF",
                    sources.post_mortem_file(incident["id"], "pdf"),
                    file_name=f"post-mortem-{name}.pdf",
                    mime="application/pdf",
                    icon=":material/download:",
                    key="post-mortem-pdf",
                    on_click="ignore",
                )
        _public(incident["id"])


def _public(incident_id: str) -> None:
    """Draw what makes a public link, and behind a switch those that live."""
    st.caption("For those who have no token: title, progress and what stakeholders were told")
    with st.container(horizontal=True):
        for days in _DAYS:
            st.button(
                f"Public link for {days} d",
                key=f"public-link-{days}",
                icon=":material/link:",
                on_click=_make,
                args=(incident_id, days),
            )
    made = st.session_state.get(_MADE)
    if made and made["incident_id"] == incident_id:
        st.code(made["url"], language=None, wrap_lines=True)
        st.caption(f"Until {moment(made['until_ms'])}; the address is shown this once")
    if st.toggle("Links that live", key="public-links"):
        _living(incident_id)


def _make(incident_id: str, days: int) -> None:
    try:
        made = sources.api().make_public_link(incident_id, actor=asking.who_acts(), days=days)
    except ClientError as error:
        asking.refuse(f"no public link: {error.message}")
    else:
        sending.count()
        st.session_state[_MADE] = made


def _living(incident_id: str) -> None:
    found = states.value_or_notice(
        sources.public_links(incident_id), "public links", key="public-links-read"
    )
    living = [one for one in found["public_links"] if one["lives"]] if found else []
    if found and not living:
        states.empty("No public link lives.", icon=":material/link_off:")
    for one in living:
        with st.container(horizontal=True, vertical_alignment="center"):
            until = moment(one["until_ms"])
            st.markdown(f"Link {one['id']} by {plain(one['made_by'])}, until {until}")
            st.button(
                "Revoke",
                key=f"revoke-{one['id']}",
                on_click=_revoke,
                args=(incident_id, one["id"]),
            )


def _revoke(incident_id: str, number: int) -> None:
    actor = asking.who_acts()
    st.session_state.pop(_MADE, None)
    asking.carry_out(
        f"revoking public link {number}",
        lambda api: api.revoke_public_link(incident_id, number, actor=actor),
    )


def _address(incident: Incident) -> str:
    """Return the incident's address for good: that of its entries, without the entry."""
    links = [one["link"] for one in incident["timeline"]]
    address = re.sub(r"[?&]event=\d+", "", links[0]) if links else ""
    return address if address.startswith("http") else ""
