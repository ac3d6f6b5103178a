"""Whose clock a page shows: UTC, or the reader's own."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

ZONE = "zone"
_LOCAL = "local"


def is_utc() -> bool:
    """Return whether times are shown in UTC: unless the address says ``zone=local``."""
    return st.query_params.get(ZONE) != _LOCAL


def shown() -> tzinfo:
    """Return the zone in which times are worded."""
    return UTC if is_utc() else zone_named(st.context.timezone)


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
