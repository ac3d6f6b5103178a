"""The dashboard's entry: ``streamlit run dashboards/app.py`` or ``tocsin dashboard``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboards.login import viewer
from dashboards.navigation import pages
from dashboards.panels import range_bar
from dashboards.wall import wall

# A file of ours: an icon by name would be fetched from a stranger's server.
_ICON = Path(__file__).with_name("icon.svg")

st.set_page_config(page_title="tocsin", page_icon=str(_ICON), layout="wide")

if not viewer.let_in():
    st.stop()
_FOUND = pages()

_CHOSEN = st.navigation(
    [
        *(
            st.Page(path, title=page.title, icon=page.icon, default=place == 0)
            for place, (path, page) in enumerate(_FOUND.items())
        ),
        # Links in messages live long: both spellings of an address lead to its page.
        *(
            st.Page(path, title=page.title, url_path=page.other_path, visibility="hidden")
            for path, page in _FOUND.items()
            if page.other_path
        ),
    ],
    position="hidden" if wall.is_wanted() else "top",
)
if wall.is_wanted():
    wall.draw()
else:
    range_bar.carry(_CHOSEN.title)
    _CHOSEN.run()
    viewer.draw()
