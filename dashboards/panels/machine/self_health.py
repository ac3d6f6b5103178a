"""What the server says of itself: well or not, how late, what fails, what was refused."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from dashboards import states
from dashboards.markdown import plain
from dashboards.panels import judging
from dashboards.panels.machine import figures
from dashboards.panels.machine.figures import Figure
from dashboards.zone import clock, moment
from tocsin.client.health_shapes import Health
from tocsin.client.wording import duration, number

_SHOWN_PROBLEMS = 20


def draw_head(health: Health) -> None:
    """Draw whether all is well, for how long, and how late rules judge."""
    well = health["status"] == "ok"
    response = health["response"]
    duty = "Of servers on one database one delivers pages"
    figures.draw(
        [
            Figure(label="Status", value="well" if well else health["status"]),
            Figure(label="Rules judge", value=judging.lag(health), meaning=judging.why(health)),
            Figure(label="Up for", value=duration(health["uptime_s"])),
            Figure(
                label="On duty", value="yes" if response["on_duty"] else "another", meaning=duty
            ),
            Figure(label="Open incidents", value=number(response["open"])),
        ]
    )
    st.caption(
        f"Version {plain(health['version'])} · a step is {duration(health['step_ms'] / 1_000)} · "
        f"{number(health['series'])} series, {number(health['spans'])} spans in memory · "
        f"{number(health['watch']['rules'])} rules"
    )


def draw_wrong(health: Health) -> None:
    """Draw everything that makes it less than well; say so when there is nothing."""
    found = [*wrong(health)]
    if not found:
        states.empty("Nothing of its own fails.", icon=":material/check_circle:")
    for line in found:
        st.markdown(f":red-badge[:material/error:] {line}")


def wrong(health: Health) -> Iterator[str]:
    """Yield a line of Markdown for each thing that fails."""
    for fault in health["faults"]:
        lost = f"; lost: {plain(fault['lost'])}" if fault["lost"] else ""
        yield (
            f"**{plain(fault['what'])}** {plain(fault['place'])} since "
            f"{moment(fault['since_ms'])}: {plain(fault['reason'])}{lost}"
        )
    for way in health["delivery"]["failing"]:
        since = moment(way["since_ms"])
        yield f"**{plain(way['way'])}** takes no pages since {since}: {plain(way['reason'])}"
    if dropped := health["delivery"]["dropped_findings"]:
        yield f"{number(dropped)} findings reached nobody, the queue was full"
    for part, reason in health["warming"]["failed"].items():
        yield f"**{plain(part)}** could not be loaded: {plain(reason)}"
    yield from _configuration(health)
    yield from (plain(one) for one in (health["cluster"] or {"wrong": []})["wrong"])
    if unwritten := health["access"]["audit_lost"]:
        yield f"{number(unwritten)} entries of the audit log could not be written"
    if health["connections"]["files_low"]:
        yield f"only {number(health['connections']['files'])} files may be open: raise the limit"


def _configuration(health: Health) -> Iterator[str]:
    read = health["configuration"]
    if read["refused"]:
        yield f"the configuration read {moment(read['read_ms'])} was refused: the one before stays"
    for problem in read["problems"][:_SHOWN_PROBLEMS]:
        place = f"{problem['file'] or 'configuration'}:{problem['line']}"
        field = f" {problem['field']}" if problem["field"] else ""
        yield f"{plain(place + field)}: {plain(problem['message'])}"


def draw_receivers(health: Health) -> None:
    """Draw what each receiver took and refused since the start."""
    st.markdown("**Receivers since the start**")
    rows = [
        {"Receiver": name, "Accepted": number(one["accepted"]), "Refused": number(one["refused"])}
        for name, one in sorted(health["receivers"].items())
    ]
    if not rows:
        states.empty("Nothing has come in yet.", icon=":material/sensors_off:")
        return
    st.dataframe(rows, hide_index=True, key="receivers", alt=f"{len(rows)} receivers")
    st.page_link("app_pages/senders.py", label="Who sent it", icon=":material/sensors:")


def draw_rest(health: Health) -> None:
    """Draw clock, connections, queues, access and the configuration, a line each."""
    st.markdown("**The rest**")
    st.markdown("  \n".join(f":small[{name}:] {value}" for name, value in facts(health)))


def facts(health: Health) -> Iterator[tuple[str, str]]:
    """Yield what else is known, with its name."""
    clock_state, watch = health["clock"], health["watch"]
    ahead = duration(clock_state["ahead_ms"] / 1_000)
    yield "Clock", f"{ahead} ahead of the machine's, set {clock_state['steps']} times"
    if step := clock_state["last_step"]:
        by = duration(step["by_ms"] / 1_000)
        yield (
            "Newest step of the clock",
            f"{by} at {moment(step['at_ms'])}: {plain(step['outcome'])}",
        )
    yield (
        "Steps judged again",
        f"{number(watch['steps_judged_again'])}, too late {watch['too_late']}",
    )
    open_now = health["connections"]
    yield "Connections", f"{number(open_now['open'])} of {number(open_now['most'])}"
    cut = sum(open_now["timed_out"].values())
    yield "Connections refused", f"{open_now['refused']}, closed for others {open_now['evicted']}"
    yield "Connections that timed out", number(cut)
    access = health["access"]
    yield (
        "Access",
        " and ".join(
            [
                "by token" if access["tokens"] else "open to all",
                "TLS" if access["tls"] else "no TLS",
            ]
        ),
    )
    refused = ", ".join(f"{count} × {status}" for status, count in access["refused"].items())
    yield "Requests refused", refused or "none"
    loading = health["warming"]["loading"]
    yield "Still loading", plain(", ".join(loading)) or "nothing"
    read = health["configuration"]
    yield "Configuration", plain(read["directory"] or "none")
    if read["read_ms"]:
        changed = f", {len(read['changes'])} changes" if read["changes"] else ""
        yield "Read", f"{clock(read['read_ms'])}{changed}"
    response = health["response"]
    yield "Tasks", f"{response['open_tasks']} open, {response['overdue_tasks']} overdue"
    overdue = health["post_mortems"]["overdue_actions"]
    yield "Overdue action items", "not known" if overdue is None else number(overdue)
