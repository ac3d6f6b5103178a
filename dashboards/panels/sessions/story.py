"""Sessions: the list to choose from, and the story of one."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import code, plain
from dashboards.panels.sessions import session_lines
from dashboards.zone import moment
from tocsin.client.trace_studies import SessionLine, SessionRequest, SessionStory
from tocsin.client.wording import duration, estimated

_ROW_HEIGHT = 32
_MAX_HEIGHT = 300
_MAX_ATTRIBUTES = 30
SESSION = "session"


def choose(by: str, failed: bool, hours: int = 0) -> None:
    """Draw the newest sessions; with a link to the one that is chosen."""
    reading = sources.sessions(by, failed, hours)
    answer = states.value_or_notice(reading, "sessions", key="sessions")
    if answer is None:
        return
    states.notes(answer["notes"])
    found = answer["sessions"]
    if not found:
        where = f"of the last {hours} h" if hours else "in memory"
        states.empty(
            f"No span {where} has the attribute {plain(by)}"
            + (" and failed." if failed else ". Name one that tells sessions apart.")
        )
        return
    selected = st.dataframe(
        [_line(one) for one in found],
        hide_index=True,
        height=min(_MAX_HEIGHT, _ROW_HEIGHT * (len(found) + 1) + 3),
        row_height=_ROW_HEIGHT,
        key="sessions-found",
        on_select="rerun",
        selection_mode="single-row",
        alt="Sessions, those that ended last first",
    )
    counted, observed = (sum(one[key] for one in found) for key in ("spans", "observed_spans"))
    if told := estimated(counted, observed):
        st.caption(f":material/info: Traces and spans are {told}.")
    rows = selected["selection"]["rows"]
    if rows and rows[0] < len(found):
        chosen = found[rows[0]]["session"]
        st.page_link(
            "app_pages/sessions.py",
            label=f"Read the session {plain(chosen)}",
            icon=":material/person_search:",
            query_params={SESSION: chosen, "by": by},
        )


def draw(value: str, by: str) -> None:
    """Draw one session: its story, its requests, and its log lines."""
    reading = sources.session(value, by)
    found = states.value_or_notice(reading, "session", key="session-story")
    if found is None:
        return
    st.markdown(f"**Session** {code(value)}")
    st.markdown("  \n".join(plain(sentence) for sentence in found["sentences"]))
    if found["limited"]:
        st.caption("It has more requests than are shown; these are the newest.")
    _attributes(found)
    st.dataframe(
        [_request(one) for one in found["requests"]],
        hide_index=True,
        key="session-requests",
        column_config={"trace": st.column_config.LinkColumn("trace", display_text="open")},
        alt=f"{len(found['requests'])} requests of the session",
    )
    session_lines.draw(found)


def _attributes(found: SessionStory) -> None:
    shown = list(found["attributes"].items())[:_MAX_ATTRIBUTES]
    if shown:
        told = " · ".join(f"{plain(key)} {code(str(value))}" for key, value in shown)
        st.markdown(f":small[All its requests have {told}]")


def _line(one: SessionLine) -> dict[str, object]:
    return {
        "session": one["session"],
        "began": moment(one["start_ms"]),
        "took": duration(one["duration_ms"] / 1_000),
        "traces": one["traces"],
        "spans": one["spans"],
        "failed spans": one["failed_spans"],
    }


def _request(one: SessionRequest) -> dict[str, object]:
    cause = one["cause"]
    return {
        "began": moment(one["start_ms"]),
        "request": f"{one['service']}: {one['name']}",
        "answer": one["status"] or ("failed" if one["failed"] else "ok"),
        "took": duration(one["duration_ms"] / 1_000),
        "spans": one["spans"],
        "first cause": f"{cause['service']}: {cause['name']}" if cause else "",
        "trace": f"traces?trace={one['trace_id']}",
    }
