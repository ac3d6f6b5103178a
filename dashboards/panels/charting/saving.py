"""From a question to a file: kept as a chart of a dashboard, or watched by a rule."""

from __future__ import annotations

import re

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import code, plain
from tocsin.client.charting.files import FileDraft, FileWish
from tocsin.client.errors import ClientError

_NEW = "a new one"
_UNUSUAL, _THRESHOLD = "When it is unusual", "From a threshold on"
_DRAFT, _TOLD = "rule-draft", "saving-told"
_URGENCIES = {"wakes somebody": "page", "is a ticket": "ticket", "is only noted": "info"}
_SIDES = {"either side": "both", "too low": "low", "too high": "high"}
_MAX_NAME = 63


def draw(query: str, unit: str) -> None:
    """Draw what can be made of a query, or why nothing can be written here."""
    reading = sources.files_state()
    state = states.value_or_notice(reading, "configuration directory", key="files")
    if state is None:
        return
    if not state["writable"]:
        states.empty(f"Can't be kept: {plain(state['why_not'])}.", icon=":material/lock:")
        return
    with st.container(horizontal=True, key="saving"):
        with st.popover("Add to dashboard", icon=":material/dashboard_customize:"):
            _chart(query, unit)
        with st.popover("Alert on this", icon=":material/notification_add:"):
            _rule(query, unit)
    if told := st.session_state.get(_TOLD):
        (st.success if told[0] else st.error)(plain(told[1]))
        st.session_state.pop(_TOLD)


def name_for(title: str) -> str:
    """Return the name of a file for a title.

    >>> name_for("Orders, per kind!"), name_for("?")
    ('orders-per-kind', 'unnamed')
    """
    name = re.sub(r"[^a-z0-9]+", "-", title.lower())[:_MAX_NAME].strip("-")
    return name or "unnamed"


def _chart(query: str, unit: str) -> None:
    boards = {board["name"]: board["title"] for board in sources.boards().value or []}
    with st.form("add-chart", border=False):
        panel = st.text_input("Title of the chart", max_chars=120, key="add-panel")
        board = st.selectbox(
            "Dashboard",
            [_NEW, *boards],
            format_func=lambda name: boards.get(name, name),
            key="add-board",
        )
        title = st.text_input("Name of a new dashboard", max_chars=120, key="add-title")
        if not st.form_submit_button("Add", key="add-chart-now", type="primary"):
            return
    new = board in (None, _NEW)
    if not (panel or "").strip() or (new and not (title or "").strip()):
        st.error("Say what the chart is called, and a new dashboard, too.")
        return
    name = name_for(title or "") if new else str(board)
    wish: FileWish = {"kind": "dashboard", "name": name, "expr": query, "unit": unit}
    wish |= {"panel": panel or "", "title": title if new else boards.get(name, "")}
    draft = _drafted(wish)
    if draft is not None:
        _write(draft)
        st.rerun()


def _rule(query: str, unit: str) -> None:
    how = st.radio("Alert", [_UNUSUAL, _THRESHOLD], key="rule-how")
    with st.form("rule", border=False):
        title = st.text_input("What is it called?", max_chars=120, key="rule-title")
        urgency = st.selectbox("It", list(_URGENCIES), index=1, key="rule-urgency")
        wish: FileWish = {"kind": "detector", "name": name_for(title or ""), "expr": query}
        wish |= {
            "title": title or "",
            "unit": unit,
            "urgency": _URGENCIES[urgency or "is a ticket"],
        }
        if how == _UNUSUAL:
            side = st.selectbox("What is wrong?", list(_SIDES), key="rule-side")
            wish |= {"direction": _SIDES[side or "either side"]}
        else:
            side = st.selectbox("Bad are values", ["above", "below"], key="rule-edge-side")
            edge = st.number_input("of", value=None, key="rule-edge", format="%g")
            wish |= {"kind": "inspection"}
            wish |= {"above": edge} if side == "above" else {"below": edge}
        if st.form_submit_button("Propose", key="rule-propose", type="primary"):
            st.session_state[_DRAFT] = _drafted(wish) if (title or "").strip() else None
            if not (title or "").strip():
                st.error("Say what it is called.")
    draft = st.session_state.get(_DRAFT)
    if draft is not None:
        _proposal(draft)


def _proposal(draft: FileDraft) -> None:
    st.markdown(f"Would be {code(draft['path'])}, checked as `check-config` does:")
    st.code(draft["text"], language="yaml")
    for problem in draft["problems"]:
        st.error(f"Line {problem['line']}: {plain(problem['message'])}")
    st.button(
        "Write and reload",
        key="rule-write",
        type="primary",
        icon=":material/save:",
        disabled=bool(draft["problems"]),
        on_click=_write,
        args=(draft,),
    )


def _drafted(wish: FileWish) -> FileDraft | None:
    try:
        return sources.api().files.draft(wish)
    except ClientError as error:
        st.error(plain(error.message))
        return None


def _write(draft: FileDraft) -> None:
    try:
        written = sources.api().files.write(draft)
    except ClientError as error:
        st.session_state[_TOLD] = (False, error.message)
        return
    sources.retry()
    st.session_state.pop(_DRAFT, None)
    changes = "; ".join(written["changes"]) or "nothing else changed"
    st.session_state[_TOLD] = (True, f"{written['path']} is written and in force: {changes}.")
