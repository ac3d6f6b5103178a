"""The people's side of an incident: who works on it, how far it came, what is left to do."""

from __future__ import annotations

import streamlit as st

from dashboards import rights, states
from dashboards.markdown import plain
from dashboards.panels.acting import asking
from dashboards.zone import moment
from tocsin.client.response.incident_shapes import Task
from tocsin.client.shapes import Incident

_KINDS = ("repair", "detect", "mitigate", "prevent", "process")
_MAX_TITLE = 200


def draw(incident: Incident) -> None:
    """Draw people, milestones, tasks and relatives."""
    st.markdown("**Response**")
    for line in lines(incident):
        st.markdown(line)
    _tasks(incident)


def lines(incident: Incident) -> list[str]:
    """Return the people, the milestones and the relatives, a line of Markdown each."""
    told = [f"**{role}** {plain(person)}" for role, person in incident["roles"].items()]
    present = [plain(one["person"]) for one in incident["responders"] if one["present"]]
    found = [" · ".join(told)] if told else []
    found += [f"Taking part: {', '.join(present)}"] if present else []
    if incident["update_due_ms"]:
        found.append(f"Next update due {moment(incident['update_due_ms'])}")
    for one in incident["milestones"]:
        corrected = ""
        if one["corrected_by"]:
            was = moment(one["logged_ms"])
            corrected = f" — by the log {was}; {plain(one['corrected_by'])}: {plain(one['reason'])}"
        found.append(f"`{moment(one['time_ms'])}` {one['name']}{corrected}")
    return found + _relatives(incident)


def _relatives(incident: Incident) -> list[str]:
    found = []
    if incident["declared_by"]:
        found.append(f"Declared by {plain(incident['declared_by'])}")
    if incident["merged_into"]:
        found.append(f"Goes on in {_link(incident['merged_into'])}")
    found += [f"Took over {_link(one)}" for one in incident["merged_from"]]
    if incident["split_from"]:
        found.append(f"Split out of {_link(incident['split_from'])}")
    found += [f"Split into {_link(one)}" for one in incident["split_into"]]
    found += [
        f"Similar: {_link(one['id'])} {plain(one['title'])} ({plain(one['why'])})"
        for one in incident["similar"]
    ]
    return found


def _link(incident_id: str) -> str:
    return f"[{plain(incident_id)}](/war_room?incident={incident_id})"


def _tasks(incident: Incident) -> None:
    st.markdown("**Tasks**")
    if not incident["tasks"]:
        states.empty("Nothing is left to do, as far as anybody said.")
    for task in incident["tasks"]:
        _task(incident["id"], task)
    if incident["status"] == "merged" or not rights.may(rights.RESPOND):
        return
    with (
        st.popover("Add a task", icon=":material/add_task:", key="task-popover"),
        st.form("task-form", clear_on_submit=True, border=False),
    ):
        st.text_input("What is to be done", key="task-title", max_chars=_MAX_TITLE)
        st.selectbox("What for", _KINDS, key="task-kind")
        st.text_input("Who", key="task-owner", max_chars=80)
        st.text_input("Until when", key="task-due", placeholder="2026-03-08 or +7d")
        st.form_submit_button("Add", key="task-submit", on_click=_add_task, args=(incident["id"],))


def _task(incident_id: str, task: Task) -> None:
    done = task["done_ms"] is not None
    owner = plain(task["owner"]) or "nobody"
    due = f", due {moment(task['due_ms'])}" if task["due_ms"] else ""
    late = " :red-badge[overdue]" if task["overdue"] else ""
    title = f"~~{plain(task['title'])}~~" if done else plain(task["title"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{title} :gray-badge[{task['kind']}] {owner}{due}{late}", width="stretch")
        st.button(
            "Reopen" if done else "Done",
            key=f"task-{task['id']}",
            disabled=not rights.may(rights.RESPOND),
            on_click=asking.give,
            args=(incident_id, "change_task"),
            kwargs={"value": f"{task['id']}:{'open' if done else 'done'}"},
        )


def _add_task(incident_id: str) -> None:
    said = {
        n: str(st.session_state.get(f"task-{n}") or "").strip() for n in ("kind", "owner", "due")
    }
    title = str(st.session_state.get("task-title") or "").strip()
    asking.give(incident_id, "add_task", text=title, **said)
