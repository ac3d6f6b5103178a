"""Taking over a shift: asking for an override, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboards import questions, rights, sources, states
from dashboards.markdown import plain
from dashboards.panels.acting import asking
from tocsin.client.errors import ClientError
from tocsin.client.response.oncall_shapes import AskedOverride, Schedule
from tocsin.client.wording import moment

_MAX_REASON = 500
_MAX_PERSON = 100
_USUAL = timedelta(hours=8)


def draw(schedules: Sequence[Schedule]) -> None:
    """Draw the overrides that people have asked for, and the form of another."""
    st.subheader("Overrides", anchor=False)
    if not rights.looks_only():
        _form(schedules)
    found = states.value_or_notice(questions.overrides(), "overrides", key="overrides")
    if found is None:
        return
    ahead = [one for one in found if one["end_ms"] > sources.now_ms()]
    if not ahead:
        states.empty("Nobody takes over from anybody.", icon=":material/swap_horiz:")
    for one in ahead:
        _line(one)


def _line(one: AskedOverride) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        who = plain(one["person"]) or "nobody"
        reason = f": {plain(one['reason'])}" if one["reason"] else ""
        st.markdown(
            f"**{who}** has {plain(one['schedule'])} from {moment(one['start_ms'])} until "
            f"{moment(one['end_ms'])}{reason} :small[asked by {plain(one['made_by'])}]",
            width="stretch",
        )
        st.button(
            "Take back",
            key=f"override-{one['id']}",
            icon=":material/undo:",
            disabled=not rights.may(rights.RESPOND),
            on_click=_take_back,
            args=(one["id"],),
        )


def _form(schedules: Sequence[Schedule]) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None)
    with (
        st.expander("Somebody takes over", icon=":material/swap_horiz:", key="override-expander"),
        st.form("override-form", border=False),
    ):
        st.selectbox(
            "Schedule",
            [one["name"] for one in schedules],
            key="override-schedule",
            format_func=lambda name: _title(schedules, name),
        )
        st.selectbox(
            "Who",
            people(schedules),
            index=None,
            key="override-person",
            accept_new_options=True,
            placeholder="Who takes over; empty: nobody",
        )
        with st.container(horizontal=True):
            st.datetime_input("From (UTC)", value=now, key="override-start")
            st.datetime_input("Until (UTC)", value=now + _USUAL, key="override-end")
        st.text_input("Why", key="override-reason", max_chars=_MAX_REASON)
        st.form_submit_button("Take over", key="override-submit", type="primary", on_click=_ask)


def people(schedules: Sequence[Schedule]) -> list[str]:
    """Return everybody who stands in a schedule, by the name that the rota knows them by."""
    return sorted({shift["person"] for one in schedules for shift in one["shifts"]})


def _title(schedules: Sequence[Schedule], name: str) -> str:
    return next((one["title"] for one in schedules if one["name"] == name), "") or name


def _ask() -> None:
    state = st.session_state
    start, end = state.get("override-start"), state.get("override-end")
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        state["said"] = ("error", "An override needs both ends.")
        return
    _carry_out(
        lambda: sources.api().override(
            str(state.get("override-schedule") or ""),
            str(state.get("override-person") or "")[:_MAX_PERSON],
            start_ms=_utc_ms(start),
            end_ms=_utc_ms(end),
            reason=str(state.get("override-reason") or "").strip(),
            actor=asking.who_acts(),
        ),
        "override",
    )


def _take_back(number: int) -> None:
    _carry_out(
        lambda: sources.api().cancel_override(number, actor=asking.who_acts()),
        "taking the override back",
    )


def _carry_out(call: Callable[[], object], what: str) -> None:
    try:
        call()
    except ClientError as error:
        st.session_state["said"] = ("error", f"{what} was refused: {error.message}")
    else:
        st.session_state["said"] = ("done", f"{what}: done")
    sources.retry()


def _utc_ms(moment_in_utc: datetime) -> int:
    return int(moment_in_utc.replace(tzinfo=UTC).timestamp() * 1_000)
