"""Says what was asked and is being confirmed, and what became of it; looks while there is any."""

from __future__ import annotations

import streamlit as st

from dashboards import sources
from dashboards.markdown import plain
from dashboards.panels import incident_picker
from dashboards.panels.acting import intents, sending
from dashboards.panels.acting.intents import State
from dashboards.panels.acting.sending import Asked

_TICK_S = 0.25
_FAILED = frozenset({State.REFUSED, State.UNANSWERED})


def draw() -> None:
    """Draw what failed until somebody has read it, and what is open, with a look again soon."""
    failures = [one for one in sending.asked() if one.shown and one.now.state in _FAILED]
    for one in failures:
        _line(one)
        if one.now.text:
            st.code(one.now.text, language=None, wrap_lines=True)  # its form is empty by now
    if failures:
        st.button("I have read this", key="read-failures", on_click=_have_read)
    if any(not one.shown for one in sending.asked()):
        st.fragment(_watch, run_every=_TICK_S)()


def _watch() -> None:
    waiting = [one for one in sending.asked() if not one.shown]
    if not waiting:
        st.rerun()  # the rest of the page shows what the server has said by now
    for one in waiting:
        answered = one.answered.done()
        _line(one)
        if answered:
            one.shown = True
            _tell(one)
            _follow(one)


def _have_read() -> None:
    sending.forget([one for one in sending.asked() if one.shown])
    sending.redraw()


def _line(one: Asked) -> None:
    now = one.now
    text = plain(intents.line(now, sources.now_ms()))
    match now.state:
        case State.OPEN:
            # In the row of the buttons: nothing below moves under the cursor.
            st.markdown(f":blue-badge[:material/hourglass_top: {text}]", width="content")
        case State.CONFIRMED:
            st.markdown(f":green-badge[:material/check: {text}]", width="content")
        case State.REFUSED | State.UNANSWERED:
            st.error(text, icon=":material/undo:")


def _tell(one: Asked) -> None:
    """Say once what became of it, wherever the page has been scrolled to."""
    now = one.now
    mark = ":material/undo:" if now.state in _FAILED else ":material/check:"
    st.toast(plain(intents.line(now, sources.now_ms())), icon=mark)


def _follow(one: Asked) -> None:
    """Whoever declares, merges or splits goes on where that leads."""
    incident_id = one.now.answer.get("id")
    if incident_id:
        st.query_params[incident_picker.PARAMETER] = str(incident_id)
