"""How the forecast of an error budget is said to people."""

from __future__ import annotations

from tocsin.client.shapes import BudgetForecast
from tocsin.client.wording import duration, moment


def budget_gone(ahead: BudgetForecast | None, now_ms: int) -> str:
    """Say when a budget is gone if it goes on as it did of late, and how sure that is.

    >>> budget_gone(None, 0)
    'too little measured for a forecast'
    """
    if ahead is None:
        return "too little measured for a forecast"
    gone, earliest, latest = ahead["gone_ms"], ahead["earliest_ms"], ahead["latest_ms"]
    basis = f"at the rate of the last {duration(ahead['basis_s'])}"
    if gone is not None and gone <= now_ms:
        return "gone"
    if gone is None and earliest is None:
        return f"lasts until {moment(ahead['until_ms'])} {basis}"
    if gone is None:
        return f"lasts {basis}; at the worst gone from {_when(earliest, now_ms)} on"
    end = "or not at all" if latest is None else f"and {_when(latest, now_ms)}"
    start = "between" if latest is not None else "not before"
    return f"gone {_when(gone, now_ms)} {basis} ({start} {_when(earliest, now_ms)} {end})"


def _when(time_ms: int | None, now_ms: int) -> str:
    if time_ms is None or time_ms <= now_ms:
        return "now"
    return moment(time_ms)
