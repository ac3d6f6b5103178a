"""Ninety days of each component, counted honestly: what nobody measured is grey. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runbooks.status_page.component import State
from tocsin.client.wording import duration, percent

DAYS_SHOWN = 90
_DAY_MS = 86_400_000
MIN_SPELL_MS = 60_000
"""A state counts for a day's colour from this long on."""

MIN_MEASURED = 0.5
"""A day of which less was measured is not told as well."""

_WHOLE = 0.995
_BAD = (State.MAJOR_OUTAGE, State.PARTIAL_OUTAGE, State.DEGRADED)
_DOWN = (State.MAJOR_OUTAGE, State.PARTIAL_OUTAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of a component: its state, and what it was in words."""

    day: str
    state: State
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The days of a component, oldest first.

    ``uptime`` is the share of the measured time without an outage, None when nothing was measured;
    ``measured`` the share of all the time that was measured.
    """

    days: tuple[Day, ...]
    uptime: float | None
    measured: float

    @property
    def words(self) -> str:
        """The figures as users read them."""
        if self.uptime is None:
            return "not measured yet"
        told = f"{percent(self.uptime)} without outage"
        if self.measured >= _WHOLE:
            return told
        return f"{told} ({percent(self.measured)} of the time measured)"


def day_of(time_ms: int) -> str:
    """Return the day of a moment, UTC, as ``YYYY-MM-DD``."""
    return datetime.fromtimestamp(time_ms / 1_000, tz=UTC).date().isoformat()


def days_until(now_ms: int, count: int = DAYS_SHOWN) -> list[str]:
    """Return the last days, oldest first, today among them."""
    today = datetime.fromtimestamp(now_ms / 1_000, tz=UTC).date()
    return [(today - timedelta(days=ago)).isoformat() for ago in range(count - 1, -1, -1)]


def history(spent: Mapping[str, Mapping[str, int]], now_ms: int) -> History:
    """Return the history of a component.

    Args:
        spent: By day, milliseconds by state.
        now_ms: The present, epoch milliseconds.
    """
    names = days_until(now_ms)
    today = names[-1]
    passed_ms = now_ms % _DAY_MS
    days = [
        _day(name, spent.get(name, {}), passed_ms if name == today else _DAY_MS) for name in names
    ]
    known = [dict(spent.get(name, {})) for name in names]
    measured_ms = sum(_measured(one) for one in known)
    down_ms = sum(one.get(state.value, 0) for one in known for state in _DOWN)
    whole_ms = (len(names) - 1) * _DAY_MS + passed_ms
    return History(
        days=tuple(days),
        uptime=1 - down_ms / measured_ms if measured_ms else None,
        measured=min(1.0, measured_ms / max(1, whole_ms)),
    )


def _day(name: str, spent: Mapping[str, int], length_ms: int) -> Day:
    measured = _measured(spent) / max(1, length_ms)
    for state in _BAD:
        if spent.get(state.value, 0) >= MIN_SPELL_MS:
            return Day(day=name, state=state, words=_words(spent, measured))
    if measured < MIN_MEASURED:
        words = "not measured" if not measured else f"measured only {percent(measured)} of it"
        return Day(day=name, state=State.UNKNOWN, words=words)
    if spent.get(State.MAINTENANCE.value, 0) >= MIN_SPELL_MS:
        return Day(day=name, state=State.MAINTENANCE, words=_words(spent, measured))
    return Day(day=name, state=State.OPERATIONAL, words=_words(spent, measured))


def _measured(spent: Mapping[str, int]) -> int:
    return sum(ms for state, ms in spent.items() if state != State.UNKNOWN.value)


def _words(spent: Mapping[str, int], measured: float) -> str:
    shown: Sequence[State] = (*_BAD, State.MAINTENANCE)
    parts = [
        f"{state.words.lower()} for {duration(spent[state.value] / 1_000)}"
        for state in shown
        if spent.get(state.value, 0) >= MIN_SPELL_MS
    ]
    told = ", ".join(parts) or "no outage"
    return told if measured >= 0.95 else f"{told}; {percent(min(1.0, measured))} of it measured"
