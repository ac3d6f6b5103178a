"""Writing a post-mortem: its sections, how far it is, its action items."""

from __future__ import annotations

import streamlit as st

from dashboards import rights, states
from dashboards.markdown import escaped, plain
from dashboards.panels.acting import asking
from dashboards.zone import moment
from tocsin.client.response.paper_shapes import ActionItem, PaperSection, PostMortem

_KINDS = ("prevent", "mitigate", "detect", "process", "repair")
_PRIORITIES = ("P1", "P2", "P3")
_MAX_TEXT = 20_000
_MAX_FIELD = 500
_LABELS = {
    "in_review": ("Ask for a review", ":material/rate_review:"),
    "reviewed": ("It is reviewed", ":material/task_alt:"),
    "published": ("Publish", ":material/public:"),
    "draft": ("Back to a draft", ":material/edit_note:"),
}


def draw(paper: PostMortem) -> None:
    """Draw the stages that may follow, every section with its field, and the action items."""
    if rights.looks_only():
        return
    with st.container(horizontal=True, vertical_alignment="center", key="paper-stages"):
        for stage in paper["next_stages"]:
            label, icon = _LABELS.get(stage, (stage.replace("_", " "), ":material/flag:"))
            st.button(
                label,
                key=f"stage-{stage}",
                icon=icon,
                on_click=_move,
                args=(paper["incident_id"], stage),
            )
    for section in paper["sections"]:
        _section(paper["incident_id"], section)
    _actions(paper)


def _move(incident_id: str, stage: str) -> None:
    actor = asking.who_acts()
    asking.carry_out(
        f"move to {stage.replace('_', ' ')}",
        lambda api: api.papers.move(incident_id, stage, actor=actor),
    )


def _section(incident_id: str, section: PaperSection) -> None:
    field, base = _keys(incident_id, section["name"])
    st.session_state.setdefault(field, section["text"])
    st.session_state.setdefault(base, _base_of(section))
    is_blank = bool(section["asks"]) and not section["text"]
    # Where somebody writes stays open, also once nothing is blank there any more.
    is_open = st.session_state.setdefault(f"{field}-open", is_blank)
    _written_meanwhile(section, field, base)
    blank = " :orange-badge[blank]" if is_blank else ""
    with (
        st.expander(f"{plain(section['title'])}{blank}", expanded=is_open, key=f"{field}-part"),
        st.container(key=f"section-{section['name']}"),
    ):
        with st.form(f"{field}-form", border=False):
            st.text_area(
                section["asks"].capitalize() or section["title"],
                key=field,
                max_chars=_MAX_TEXT,
                height=140,
            )
            st.form_submit_button(
                "Save", key=f"{field}-save", on_click=_save, args=(incident_id, section["name"])
            )
        if section["author"]:
            st.caption(f"Written by {plain(section['author'])}, {moment(section['time_ms'])}")
        if section["evidence_changed"]:
            changed = plain(", ".join(section["evidence_changed"]))
            st.caption(f":material/history: Since then {changed} changed")


def _base_of(section: PaperSection) -> tuple[int, str]:
    """Return what a field began with: its revision and its text."""
    return section["revision"], section["text"]


def _written_meanwhile(section: PaperSection, field: str, base: str) -> None:
    """Say what somebody else has written since this field was opened; nothing typed is lost."""
    revision, began = st.session_state[base]
    if revision == section["revision"]:
        return
    typed = str(st.session_state[field] or "").strip()
    if typed in (section["text"], began.strip()):
        st.session_state[field], st.session_state[base] = section["text"], _base_of(section)
        return
    author = plain(section["author"] or "somebody")
    title = plain(section["title"])
    st.warning(f"**{author} has written {title} meanwhile:**  \n{escaped(section['text'])}")
    st.button(
        "Replace it by what I write",
        key=f"{field}-over",
        on_click=st.session_state.update,
        args=({base: _base_of(section)},),
    )


def _save(incident_id: str, name: str) -> None:
    field, base = _keys(incident_id, name)
    text = asking.given(field, _MAX_TEXT)
    revision, actor = st.session_state[base][0], asking.who_acts()
    asking.carry_out(
        f"section {name}",
        lambda api: api.papers.edit(incident_id, name, text, actor=actor, revision=revision),
    )


def _keys(incident_id: str, name: str) -> tuple[str, str]:
    return f"paper-{incident_id}-{name}", f"paper-{incident_id}-{name}-base"


def _actions(paper: PostMortem) -> None:
    st.markdown("**Action items**")
    if not paper["actions"]:
        states.empty("No action item yet.")
    for item in paper["actions"]:
        _action(item)
    with (
        st.popover("Add an action item", icon=":material/add_task:", key="action-popover"),
        st.form("action-form", clear_on_submit=True, border=False),
    ):
        st.text_input("What is to be done", key="action-title", max_chars=_MAX_FIELD)
        st.selectbox("What for", _KINDS, key="action-kind")
        st.text_input("Who", key="action-owner", max_chars=_MAX_FIELD)
        st.selectbox("How urgent", _PRIORITIES, index=1, key="action-priority")
        st.text_input("Until when", key="action-due", placeholder="2026-03-08", max_chars=50)
        st.text_input("Done when", key="action-done_when", max_chars=_MAX_FIELD)
        st.form_submit_button("Add", key="action-add", on_click=_add, args=(paper["incident_id"],))


def _action(item: ActionItem) -> None:
    done = item["done_ms"] is not None
    title = f"~~{plain(item['title'])}~~" if done else plain(item["title"])
    owner = plain(item["owner"]) or "nobody yet"
    due = f", due {item['due']}" if item["due"] else ""
    late = " :red-badge[overdue]" if item["overdue"] else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"{title} :gray-badge[{plain(item['kind'])}] {owner}{due}{late}", width="stretch"
        )
        st.button(
            "Reopen" if done else "Done",
            key=f"action-{item['id']}",
            on_click=_tick,
            args=(item["id"], not done),
        )


def _add(incident_id: str) -> None:
    names = ("title", "kind", "owner", "priority", "due", "done_when")
    said = {name: asking.given(f"action-{name}", _MAX_FIELD) for name in names}
    fields = {name: text for name, text in said.items() if text}
    actor = asking.who_acts()
    asking.carry_out(
        "action item", lambda api: api.papers.add_action(incident_id, fields, actor=actor)
    )


def _tick(number: int, done: bool) -> None:
    actor = asking.who_acts()
    asking.carry_out(
        "action item", lambda api: api.papers.change_action(number, {}, actor=actor, done=done)
    )
