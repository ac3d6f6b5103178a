"""Making a silence after seeing what it hides, and extending or ending those that there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboards import rights, sources, states
from dashboards.markdown import plain
from dashboards.panels.acting import asking
from dashboards.zone import moment
from tocsin.client.errors import ClientError
from tocsin.client.response.silence_shapes import (
    HiddenFinding,
    Silence,
    SilencePreview,
    moment_ms,
    written,
)
from tocsin.client.shapes import Finding
from tocsin.client.wording import duration

PARAMETER = "match"
"""Matchers in the address of the page, a line each: they stand in the form."""

_HOUR_MS = 3_600_000
_LENGTHS_MS = tuple(int(hours * _HOUR_MS) for hours in (0.25, 0.5, 1, 2, 4, 8, 24, 72, 168))
_MAX_MATCHERS, _MAX_REASON = 4_000, 3_000
_SHOWN_OVER, _SHOWN_HIDDEN = 50, 20


def matchers_of(findings: Sequence[Finding]) -> str:
    """Return matchers for what of some findings is not over: their rules, and where all are."""
    live = [one for one in findings if one["ended_ms"] is None] or [*findings]
    rules = sorted({one["rule"] for one in live})
    if not rules:
        return ""
    pattern = "|".join(map(re.escape, rules))
    named = f"alertname={rules[0]}" if len(rules) == 1 else f"alertname=~{pattern}"
    scopes = [set(one["scope"].items()) for one in live]
    common = sorted(set.intersection(*scopes))
    return "\n".join([named, *(f"{name}={value}" for name, value in common)])


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one form on a page; ``prefix`` tells them from those of another."""

    prefix: str

    @property
    def matchers(self) -> str:
        """Key of what is silenced."""
        return f"{self.prefix}-matchers"

    @property
    def reason(self) -> str:
        """Key of why."""
        return f"{self.prefix}-reason"

    @property
    def length(self) -> str:
        """Key of for how long."""
        return f"{self.prefix}-length"

    @property
    def hidden(self) -> str:
        """Key of what it would hide, as far as somebody has asked."""
        return f"{self.prefix}-hidden"


OWN = Fields("silence")


def draw_form() -> None:
    """Draw what a silence needs, and what it would hide once somebody asks."""
    if rights.looks_only():
        return
    with st.form("silence-form", enter_to_submit=False):
        draw_fields(OWN, matchers=st.query_params.get(PARAMETER, ""))
    found = hidden(OWN)
    if found is not None:
        with states.panel("Preview"):
            draw_hidden(found)


def hidden(fields: Fields) -> SilencePreview | None:
    """Return what the silence of a form would hide; None until somebody asks."""
    found: SilencePreview | None = st.session_state.get(fields.hidden)
    return found


def draw_fields(fields: Fields, *, matchers: str, reason: str = "") -> None:
    """Draw the fields and buttons of a form, in which ``matchers`` and ``reason`` stand."""
    st.text_area(
        "What: one matcher a line",
        value=matchers,
        key=fields.matchers,
        max_chars=_MAX_MATCHERS,
        height=90,
        placeholder="service.name=search\ncloud.region=~eu-.*",
        help="name=value, name!=value, name=~pattern or name!~pattern; all must hold",
    )
    st.text_input("Why it may ring nobody", value=reason, key=fields.reason, max_chars=_MAX_REASON)
    st.selectbox(
        "For how long",
        _LENGTHS_MS,
        index=_LENGTHS_MS.index(2 * _HOUR_MS),
        key=fields.length,
        format_func=lambda length_ms: duration(length_ms / 1_000),
    )
    with st.container(horizontal=True):
        st.form_submit_button(
            "See what it hides", key=f"{fields.prefix}-preview", on_click=_look, args=(fields,)
        )
        st.form_submit_button(
            "Silence it",
            key=f"{fields.prefix}-submit",
            type="primary",
            on_click=_silence,
            args=(fields,),
        )


def draw_kept(kept: Sequence[Silence], over: Sequence[Silence]) -> None:
    """Draw the silences that hold or will, and behind a click those that are over."""
    if not kept:
        states.empty("Nothing is silenced.", icon=":material/notifications_active:")
    for silence in kept:
        with st.container(border=True, key=f"silence-{silence['id']}"):
            _draw_one(silence)
    if over:
        with st.expander(f"Over: {len(over)}", icon=":material/history:"):
            for silence in over[:_SHOWN_OVER]:
                _describe(silence)


def _draw_one(silence: Silence) -> None:
    _describe(silence)
    if not rights.may(rights.RESPOND):
        return
    with st.container(horizontal=True):
        for hours in (1, 8):
            st.button(
                f"Ends in {hours} h from now",
                key=f"silence-{silence['id']}-{hours}",
                icon=":material/more_time:",
                on_click=_extend,
                args=(silence["id"], hours * _HOUR_MS),
            )
        st.button(
            "End it now",
            key=f"silence-{silence['id']}-end",
            icon=":material/notifications_active:",
            help="What still fires is taken in and rings",
            on_click=_end,
            args=(silence["id"],),
        )


def _describe(silence: Silence) -> None:
    state = silence["status"]["state"]
    badge = f":{'orange' if state == 'active' else 'gray'}-badge[{plain(state)}]"
    ends_ms = moment_ms(silence["endsAt"])
    left = f", in {duration((ends_ms - sources.now_ms()) // 1_000)}" if state != "expired" else ""
    begins = f"from {moment(moment_ms(silence['startsAt']))}, " if state == "pending" else ""
    st.markdown(f"{badge} **{plain(written(silence))}**")
    st.caption(
        f"{begins}until {moment(ends_ms)}{left} · by {plain(silence['createdBy'])} · "
        f"{plain(silence['comment'])}"
    )


def draw_hidden(found: SilencePreview) -> None:
    """Draw what a silence would hide."""
    st.markdown(
        f"It would hide **{found['firing_total']}** that fire now, and would have hidden "
        f"**{found['last_day_total']}** others of the last day."
    )
    for finding in [*found["firing"], *found["last_day"]][:_SHOWN_HIDDEN]:
        st.markdown(_line(finding))
    if found["own_not_hidden"]:
        st.caption(
            f"{found['own_not_hidden']} about tocsin itself ring all the same: name them exactly, "
            "by alertname=… or service.name=tocsin."
        )


def _line(finding: HiddenFinding) -> str:
    started = moment(finding["started_ms"])
    return f"- {plain(finding['urgency'])} · {started} · {plain(finding['title'])}"


def _matchers(fields: Fields) -> list[str]:
    text = str(st.session_state.get(fields.matchers) or "")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _look(fields: Fields) -> None:
    st.session_state.pop(fields.hidden, None)
    if not (matchers := _matchers(fields)):
        asking.refuse("Say what to silence, such as service.name=search.")
        return
    try:
        st.session_state[fields.hidden] = sources.api().silences.preview(matchers)
    except ClientError as error:
        asking.refuse(error.message)


def _silence(fields: Fields) -> None:
    st.session_state.pop(fields.hidden, None)
    matchers, reason = _matchers(fields), asking.given(fields.reason, _MAX_REASON)
    if not matchers or not reason:
        asking.refuse("A silence needs a matcher and a reason.")
        return
    lasts_ms = int(st.session_state.get(fields.length) or 2 * _HOUR_MS)
    author = asking.who_acts()
    asking.carry_out(
        "silence",
        lambda api: api.silences.add(matchers, reason=reason, author=author, lasts_ms=lasts_ms),
    )


def _extend(silence_id: str, lasts_ms: int) -> None:
    asking.carry_out("new end", lambda api: api.silences.extend(silence_id, lasts_ms))


def _end(silence_id: str) -> None:
    asking.carry_out("end", lambda api: api.silences.expire(silence_id))
