"""What follows from a rota, for pages and the terminal alike."""

from __future__ import annotations

from tocsin.client.response.oncall_shapes import Schedule, Shift


def next_shift(one: Schedule, now_ms: int) -> Shift | None:
    """Return the first shift of somebody else, or after a gap; None when none is known."""
    now = one["now"]
    after_ms = now["end_ms"] if now else now_ms
    return next((shift for shift in one["shifts"] if shift["start_ms"] >= after_ms), None)
