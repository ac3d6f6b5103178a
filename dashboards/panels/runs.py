"""Runs of runbooks: begin one, see what it would do, follow it, and decide at its steps."""

from __future__ import annotations

import streamlit as st

from dashboards import rights, sources, states
from dashboards.markdown import code, plain
from dashboards.panels.acting import asking, sending
from dashboards.zone import clock
from tocsin.client.errors import ClientError
from tocsin.client.response.run_shapes import Rehearsal, Run, RunStep
from tocsin.client.shapes import Incident, Runbook
from tocsin.client.wording import trimmed

_MARKS = {
    "succeeded": ":green[:material/check_circle:]",
    "running": ":blue[:material/autorenew:]",
    "failed": ":red[:material/cancel:]",
    "skipped": ":gray[:material/block:]",
    "aborted": ":gray[:material/block:]",
    "waiting": ":orange[:material/lock:]",
    "unknown": ":orange[:material/help:]",
}
_PENDING = ":gray[:material/radio_button_unchecked:]"
_STATES = {
    "running": "under way",
    "rolling_back": "being rolled back",
    "rolled_back": "rolled back",
}
_LABELS = {
    "approve": ("Approve", ":material/lock_open:"),
    "retry": ("Do it again", ":material/replay:"),
    "skip": ("Skip", ":material/skip_next:"),
    "done": ("Mark as done", ":material/check:"),
    "abort": ("Abort", ":material/stop_circle:"),
    "roll_back": ("Roll back", ":material/undo:"),
}
_LIVE_EVERY_S = 1
"""While a step is at work; what it says is read by somebody who waits for it."""

_MAX_OUTPUT = 2_000
_OVER = frozenset({"resolved", "closed"})
_REHEARSED = "rehearsed"


def draw(incident: Incident) -> None:
    """Draw what can be run for the incident, and its runs."""
    library = states.value_or_notice(sources.runbooks(), "runbooks", key="runbooks")
    if library and incident["status"] not in _OVER and not rights.looks_only():
        _begin(incident, library)
    runs = sources.runs(incident["id"]).value or ()
    if any(step["state"] == "running" for run in runs for step in run["steps"]):
        st.fragment(_runs, run_every=_LIVE_EVERY_S)(incident["id"])
    else:
        _runs(incident["id"])


def _runs(incident_id: str) -> None:
    runs = states.value_or_notice(sources.runs(incident_id), "runs", key="runs")
    for run in runs or ():
        _run(run)


def _is_live(run: Run) -> bool:
    return run["state"] in {"running", "rolling_back"}


def _begin(incident: Incident, library: list[Runbook]) -> None:
    names = [one["name"] for one in library]
    proposed = incident["runbook"]["name"] if incident["runbook"] else ""
    first = names.index(proposed) if proposed in names else 0
    with st.container(horizontal=True, vertical_alignment="bottom", key="run-bar"):
        name = st.selectbox("Runbook to run", names, index=first, key="run-name")
        values = st.text_input(
            "Values",
            key="run-values",
            placeholder="region=us-west-2",
            help="NAME=VALUE, several apart by spaces; what is left out comes from the incident",
        )
        given = (incident["id"], name, values)
        st.button("Dry run", key="run-rehearse", icon=":material/preview:", help=_DRY,
                  on_click=_rehearse, args=given)  # fmt: skip
        st.button("Run", key="run-begin", icon=":material/play_arrow:", help=_RUN,
                  on_click=_start, args=given)  # fmt: skip
    found = st.session_state.get(_REHEARSED)
    if found and found["incident_id"] == incident["id"] and found["runbook"] == name:
        _rehearsal(found)


_DRY = "Say what would be done, with the values of this incident; nothing is touched"
_RUN = "Begin; steps that change something wait for an approval unless their owner calls them safe"


def _rehearse(incident_id: str, name: str, values: str) -> None:
    try:
        found = sources.api().rehearse_run(name, incident_id, values=_said(values))
    except ClientError as error:
        asking.refuse(f"no dry run: {error.message}")
    else:
        sending.count()
        st.session_state[_REHEARSED] = found


def _start(incident_id: str, name: str, values: str) -> None:
    st.session_state.pop(_REHEARSED, None)
    actor, said = asking.who_acts(), _said(values)
    asking.carry_out(
        f"run of {name}",
        lambda api: api.begin_run(name, incident_id, actor=actor, values=said),
    )


def _said(values: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in values.split())
    return {name: value for name, _, value in pairs}


def _rehearsal(found: Rehearsal) -> None:
    with st.container(border=True, key="rehearsal"):
        st.caption("Dry run: nothing was touched")
        for number, step in enumerate(found["steps"], 1):
            gate = " :orange-badge[after an approval]" if step["needs_approval"] else ""
            problem = f"  \n:red[can't: {plain(step['problem'])}]" if step["problem"] else ""
            would = f"  \n{code(step['would'])}" if step["would"] else ""
            st.markdown(f"{number}\\. {plain(step['title'])}{gate}{would}{problem}")


def _run(run: Run) -> None:
    state = _STATES.get(run["state"], run["state"])
    told = f" · {plain(run['text'])}" if run["text"] else ""
    head = f"{plain(run['runbook'])} · {state} · {clock(run['created_ms'])}"
    with st.expander(head, expanded=_is_live(run), key=f"run-{run['id']}"):
        st.caption(f"{code(run['id'])} asked for by {plain(run['requested_by'])}{told}")
        for number, step in enumerate(run["steps"], 1):
            _step(run, number, step)
        with st.container(horizontal=True):
            for decision in run["decisions"] if rights.may(rights.RESPOND) else ():
                _button(run, decision, "")


def _step(run: Run, number: int, step: RunStep) -> None:
    state = step["state"]
    consent = step["approval"]
    approved = f" · approved by {plain(consent['by'])}" if consent else ""
    worded = "" if state == "pending" else f" :gray-badge[{plain(state)}]"
    title = f"{_MARKS.get(state, _PENDING)} **{number}\\. {plain(step['title'])}**"
    st.markdown(f"{title}{worded}{approved}")
    if step["text"]:
        st.code(trimmed(step["text"], _MAX_OUTPUT, "…"), language=None, wrap_lines=True)
    shown = [d for d in step["decisions"] if state != "pending" or d == "approve"]
    if shown and rights.may(rights.RESPOND):
        with st.container(horizontal=True):
            for decision in shown:
                _button(run, decision, step["id"])


def _button(run: Run, decision: str, step: str) -> None:
    label, icon = _LABELS[decision]
    st.button(
        label,
        key=f"{decision}-{run['id']}-{step}",
        icon=icon,
        on_click=_decide,
        args=(run["id"], decision, step),
    )


def _decide(run_id: str, decision: str, step: str) -> None:
    actor = asking.who_acts()
    asking.carry_out(
        _LABELS[decision][0].lower(),
        lambda api: api.decide_run(run_id, decision, actor=actor, step=step),
    )
