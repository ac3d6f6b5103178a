"""Colours that mean something, chosen to read on light and on dark ground."""

from __future__ import annotations

from typing import Literal

BadgeColor = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]

# Okabe and Ito's colours, https://jfly.uni-koeln.de/color/, lightened where dark ground needs it.
LINES = ("#2E86C1", "#E69F00", "#1FA67A", "#CC79A7", "#56B4E9", "#D55E00", "#8E8E8E")
TROUBLE = "#D9483B"
CAUTION = "#E08A1E"
CALM = "#2E9E6A"
QUIET = "#8A94A0"
WINDOW = "rgba(217, 72, 59, 0.10)"

_SEVERITIES: dict[str, BadgeColor] = {
    "SEV1": "red",
    "SEV2": "orange",
    "SEV3": "yellow",
    "SEV4": "blue",
    "SEV5": "gray",
}
_STATUSES: dict[str, BadgeColor] = {
    "triage": "red",
    "investigating": "orange",
    "identified": "orange",
    "mitigated": "blue",
    "resolved": "green",
    "closed": "gray",
    "declined": "gray",
    "merged": "gray",
}


def severity(name: str) -> BadgeColor:
    """Return the badge colour of a severity."""
    return _SEVERITIES.get(name, "gray")


def status(name: str) -> BadgeColor:
    """Return the badge colour of an incident's status."""
    return _STATUSES.get(name, "gray")


def line(position: int) -> str:
    """Return the colour of the line at ``position``; colours repeat after seven."""
    return LINES[position % len(LINES)]
