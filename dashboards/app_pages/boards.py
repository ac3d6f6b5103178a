"""Dashboards: the operator's own charts, with what can be chosen."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from dashboards.navigation import Page
from dashboards.panels import chart_stack, range_bar
from dashboards.panels.board_values import values_of
from dashboards.panels.charting import narrowing
from dashboards.panels.charting.narrowing import Narrowing
from dashboards.telemetry.boards import left_out, rows_of
from dashboards.timerange import TimeRange
from tocsin.client.board_shapes import Board

PAGE = Page(title="Dashboards", icon=":material/dashboard:", order=7)

_ALL = "all"
_NONE = (
    "No dashboard is defined: put a file like `dashboards/checkout.yaml` into the configuration "
    "directory; `tocsin schema dashboard` says what it may hold."
)


def page() -> None:
    """Draw the choice of a dashboard, of its variables and of the range; charts are live."""
    with states.loading():
        reading = sources.boards()
    boards = states.value_or_notice(reading, "dashboards", key="boards")
    if boards is None:
        return
    if not boards:
        states.empty(_NONE, icon=":material/dashboard:")
        return
    by_name = {board["name"]: board for board in boards}
    with st.container(horizontal=True, vertical_alignment="bottom", key="board-bar"):
        name = st.selectbox(
            "Dashboard",
            list(by_name),
            key="board",
            bind="query-params",
            format_func=lambda one: by_name[one]["title"] if one in by_name else one,
            width=260,
        )
        board = by_name[name or next(iter(by_name))]
        choices = _choices(board)
        narrowed = narrowing.choose()
        span = range_bar.choose(None)
    if board["description"]:
        st.caption(plain(board["description"]))
    st.fragment(_live, run_every=range_bar.run_every(span))(board, choices, narrowed, span)


def _choices(board: Board) -> dict[str, str]:
    values = values_of([board], key="choices")
    choices: dict[str, str] = {}
    for variable in board["variables"]:
        chosen = st.selectbox(
            variable["name"],
            [_ALL, *values.get(variable["name"], ())],
            key=f"var-{variable['name']}",
            bind="query-params",
            width=200,
        )
        choices[variable["name"]] = "" if chosen in (None, _ALL) else str(chosen)
    return choices


def _live(board: Board, choices: dict[str, str], narrowed: Narrowing, span: TimeRange) -> None:
    values = values_of([board], key="values")
    rows = rows_of(board, choices, values)
    for position, (title, panels) in enumerate(rows):
        with st.container(border=True), states.panel(title or "Charts"):
            if title:
                st.markdown(f"**{plain(title)}**")
            chart_stack.draw(narrowed.of(panels), span, key=f"row-{position}")
    if not rows and all(one["name"] in values for one in board["variables"]):
        states.empty("The rows repeat by a tag that no series has yet.")
    for name, count in left_out(board, choices, values).items():
        st.caption(f"{count} more values of {plain(name)} are not drawn; choose one above.")


page()
