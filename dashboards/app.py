"""The dashboard's entry: ``streamlit run dashboards/app.py`` or ``tocsin dashboard``."""

from __future__ import annotations

import streamlit as st

st.set_page_config(page_title="tocsin", page_icon=":material/e911_emergency:", layout="wide")

st.navigation(
    [
        st.Page(
            "app_pages/overview.py", title="Overview", icon=":material/monitoring:", default=True
        ),
        st.Page("app_pages/war_room.py", title="War room", icon=":material/e911_emergency:"),
        st.Page("app_pages/traces.py", title="Traces", icon=":material/account_tree:"),
        st.Page("app_pages/explore.py", title="Explore", icon=":material/query_stats:"),
        st.Page("app_pages/post_mortems.py", title="Post-mortems", icon=":material/article:"),
        st.Page("app_pages/slack_preview.py", title="Slack preview", icon=":material/forum:"),
        # Links in messages live long: both spellings of the address lead to the war room.
        st.Page(
            "app_pages/war_room.py", title="War room", url_path="war-room", visibility="hidden"
        ),
    ],
    position="top",
).run()
