"""Whose clock a page shows: UTC, or the reader's own."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from dashboards import timerange
from tocsin.client.wording import UNKNOWN

ZONE = "zone"
_LOCAL = "local"


def is_utc() -> bool:
    """Return whether times are shown in UTC: unless the address says ``zone=local``."""
    return st.query_params.get(ZONE) != _LOCAL


def shown() -> tzinfo:
    """Return the zone in which times are worded."""
    return UTC if is_utc() else zone_named(st.context.timezone)


def label() -> str:
    """Return what is shown, for the head of a column of times."""
    return "UTC" if is_utc() else "local time"


def moment(time_ms: float | None) -> str:
    """Word a moment with its date, by the clock that the page shows."""
    return UNKNOWN if time_ms is None else timerange.at(int(time_ms), shown())


def clock(time_ms: float | None) -> str:
    """Word a moment as time of day, by the clock that the page shows."""
    return moment(time_ms).partition(" ")[2] if time_ms is not None else UNKNOWN


def to_the_millisecond(time_ms: float) -> str:
    """Word a moment as time of day to the millisecond, without its zone: it is in the head."""
    told = datetime.fromtimestamp(time_ms / 1_000, tz=shown())
    return told.strftime("%H:%M:%S.%f")[:-3]


def zone_named(name: str | None) -> tzinfo:
    """Return a zone by its name, UTC if nobody knows it.

    >>> zone_named("Europe/Berlin").key, zone_named("../etc"), zone_named(None)
    ('Europe/Berlin', datetime.timezone.utc, datetime.timezone.utc)
    """
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def toggle() -> None:
    """Show the other clock from now on."""
    if is_utc():
        st.query_params[ZONE] = _LOCAL
    else:
        st.query_params.pop(ZONE, None)
