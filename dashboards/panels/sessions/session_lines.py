"""The log lines of one session: of its traces, and those that name it outside of any."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.panels.logs import lines
from tocsin.client.log_shapes import LogPage, LogRow
from tocsin.client.trace_studies import SessionRequest, SessionStory

_MAX_LINES = 200
_MAX_TRACES = 50
_MARGIN_MS = 60_000
"""A device says what it saw a little before and after its requests."""


def draw(story: SessionStory) -> None:
    """Draw the lines of a session, newest first, wherever they are kept."""
    requests = story["requests"]
    st.markdown("**Log lines of the session**")
    if not requests:
        states.empty("It has no request that is known, so its time is not known either.")
        return
    span: dict[str, int] = {
        "start_ms": min(one["start_ms"] for one in requests) - _MARGIN_MS,
        "end_ms": max(one["start_ms"] + int(one["duration_ms"]) for one in requests) + _MARGIN_MS,
        "limit": _MAX_LINES,
    }
    asked = _traces(requests)
    by, value = story["by"], story["session"]
    named = sources.log_lines(attribute=f"{by}:{value}", **span)
    traced = sources.log_lines(trace_id=asked, **span)
    pages = [
        states.value_or_notice(named, "lines that name the session", key="session-named"),
        states.value_or_notice(traced, "lines of its traces", key="session-traced"),
    ]
    page = joined([one for one in pages if one is not None], by, value)
    if not page["lines"]:
        if None not in pages:
            states.empty(
                "No line carries the id of one of its traces, nor its attribute: its services and "
                "devices send no logs, or logged nothing in it."
            )
        return
    with states.panel("Log lines"):
        lines.draw(page, key="session-lines-table")
    if page["next"]:
        st.caption("It has more lines than are shown; these are the newest.")
    if len(asked) < len(requests):
        st.caption(f"Of {len(asked)} of its {len(requests)} requests, those that failed first.")


def joined(pages: Sequence[LogPage], by: str, value: str) -> LogPage:
    """Return pages as one, each line once.

    The first page has the lines that name the session, the others are of its traces. Where a
    page was cut nothing older is shown of the others either: lines would seem to lack.
    """
    found: list[LogRow] = []
    for at, page in enumerate(pages):
        fresh = page["lines"] if at == 0 else (x for x in page["lines"] if not _names(x, by, value))
        found += fresh
    cuts = [int(page["lines"][-1]["time_ns"]) for page in pages if page["next"] and page["lines"]]
    oldest = max(cuts, default=0)
    kept = [line for line in found if int(line["time_ns"]) >= oldest]
    kept.sort(key=lambda line: int(line["time_ns"]), reverse=True)
    notes = list(dict.fromkeys(note for page in pages for note in page["notes"]))
    cut = next((page["next"] for page in pages if page["next"]), None)
    return {"lines": kept, "next": cut, "notes": notes}


def _names(line: LogRow, by: str, value: str) -> bool:
    return value in (line["attributes"].get(by), line["resource"].get(by))


def _traces(requests: Sequence[SessionRequest]) -> list[str]:
    """Return the traces whose lines are asked for: those that failed, then the newest."""
    ordered = sorted(requests, key=lambda one: (not one["failed"], -one["start_ms"]))
    return list(dict.fromkeys(one["trace_id"] for one in ordered))[:_MAX_TRACES]
