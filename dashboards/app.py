"""The dashboard's entry: ``streamlit run dashboards/app.py`` or ``tocsin dashboard``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboards.login import viewer
from dashboards.navigation import NOW, grouped, pages
from dashboards.panels import range_bar
from dashboards.wall import wall

# A file of ours: an icon by name would be fetched from a stranger's server.
_ICON = Path(__file__).with_name("icon.svg")

st.set_page_config(page_title="tocsin", page_icon=str(_ICON), layout="wide")

if not viewer.let_in():
    st.stop()
_FOUND = pages()

_FIRST = next(iter(_FOUND), None)
_SHOWN = {
    # Without a heading pages stand in the bar itself: nobody opens a menu to see what is on fire.
    "" if group == NOW else group: [
        st.Page(path, title=page.title, icon=page.icon, default=path == _FIRST)
        for path, page in some.items()
    ]
    for group, some in grouped(_FOUND).items()
}
# Links in messages live long: both spellings of an address lead to its page.
_SHOWN[""] = _SHOWN.get("", []) + [
    st.Page(path, title=page.title, url_path=page.other_path, visibility="hidden")
    for path, page in _FOUND.items()
    if page.other_path
]
_CHOSEN = st.navigation(_SHOWN, position="hidden" if wall.is_wanted() else "top")
if wall.is_wanted():
    wall.draw()
else:
    range_bar.carry(_CHOSEN.title)
    _CHOSEN.run()
    viewer.draw()
