"""What tocsin found wrong with itself."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.markdown import plain
from dashboards.zone import moment
from tocsin.client.shapes import Finding

OWN_SERVICE = "tocsin"
"""The service under which it tells of itself."""


def draw(found: Sequence[Finding]) -> None:
    """Draw a card for each finding about the server itself."""
    own = [one for one in found if one["scope"].get("service.name") == OWN_SERVICE]
    st.markdown("**Findings about tocsin**")
    if not own:
        states.empty("It found nothing wrong with itself.", icon=":material/check_circle:")
    for one in own:
        with st.container(border=True):
            st.markdown(f"**{plain(one['title'])}** · since {moment(one['started_ms'])}")
            st.markdown(plain(one["explanation"]))
