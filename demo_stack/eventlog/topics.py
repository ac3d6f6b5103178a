"""The topics of a region's event log."""

from __future__ import annotations

VIEWS = "views"
"""Topic of viewing events: key viewer, value ``{viewer, title, device}``."""

REPORTS = "reports"
"""Topic of what players report: key viewer, value ``{device, played_s, stalled_s}``."""

TOPICS = (VIEWS, REPORTS)

WINDOW_MS = 30_000
"""Length of the windows in which events of either topic are counted."""

LATENESS_MS = 2_000
"""How late an event may be and still count in its window."""
