"""Maintenance: for a time known before, what matches rings nobody; incidents still close."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from collectors.documents.nodes import Place
from collectors.documents.reading import load_section
from collectors.documents.section import Context, Section, close_to
from collectors.documents.values import Words, at_least_one
from collectors.errors import DocumentError
from runbooks.alerts.intervals import UTC, TimeInterval
from runbooks.alerts.matchers import Labels, Matcher, matches_all
from runbooks.alerts.matching_shapes import Matchers
from runbooks.alerts.silence import names_own
from runbooks.oncall.loading import LocalMoment
from runbooks.oncall.local_time import epoch_ms
from runbooks.oncall.zones import Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window of maintenance.

    Attributes:
        name: What is done.
        matchers: All of them must match.
        reason: Why it may ring nobody.
        start_ms: From when on, epoch milliseconds; None with an interval.
        end_ms: Until when, not included; None with an interval.
        interval: Name of an interval within which it holds; empty: none.
        place: Where the interval is named.
    """

    name: str
    matchers: tuple[Matcher, ...]
    reason: str
    start_ms: int | None = None
    end_ms: int | None = None
    interval: str = ""
    place: Place | None = None

    def holds(self, at_ms: int, intervals: Mapping[str, TimeInterval]) -> bool:
        """Whether a moment, epoch milliseconds, lies within."""
        if self.start_ms is not None and self.end_ms is not None:
            return self.start_ms <= at_ms < self.end_ms
        named = intervals.get(self.interval)
        return named is not None and named.contains(at_ms)

    def matches(self, labels: Labels, *, own: bool = False) -> bool:
        """Whether it speaks of a finding; one about tocsin itself must be named exactly."""
        return (not own or names_own(self.matchers)) and matches_all(self.matchers, labels)

    def mistakes(self, intervals: Collection[str]) -> Iterator[DocumentError]:
        """Yield that its interval is none of ``intervals``."""
        if self.interval and self.interval not in intervals and self.place is not None:
            yield unknown_interval(self.interval, self.place, intervals)


def unknown_interval(name: str, place: Place, intervals: Collection[str]) -> DocumentError:
    """Return the mistake of an interval that nobody has named."""
    meant = close_to(name, intervals)
    remedy = f"did you mean {meant!r}?" if meant else "write it into intervals.yaml"
    return place.error(f"no interval is called {name!r}; {remedy}")


class WindowShape(Section):
    """A window; it has `since` and `until`, or an `interval`."""

    name: Words
    """What is done."""
    matchers: Annotated[Matchers, at_least_one('names nothing; write service.name="db"')]
    """What rings nobody: all must hold."""
    reason: Words
    """Why."""
    since: LocalMoment | None = None
    """Local date and time, `"2026-12-01 22:00"`."""
    until: LocalMoment | None = None
    """Local date and time, not included."""
    time_zone: Zone = UTC
    """Of `since` and `until`. Without it UTC."""
    interval: Words = ""
    """Name of `intervals.yaml`: a window that comes again."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield times that are missing, too many or turned round."""
        del context
        if bool(self.interval) is (self.since is not None or self.until is not None):
            yield self.at("since").error("write either since and until, or interval")
        elif not self.interval and (self.since is None or self.until is None):
            missing = "until" if self.until is None else "since"
            yield self.at(missing).error("is required")
        elif self.since is not None and self.until is not None and self.until <= self.since:
            yield self.at("until").error(f"must be after {self.since:%Y-%m-%d %H:%M}")
        if all(matcher.matches({}) for matcher in self.matchers):
            yield self.at("matchers").error("at least one must not match an empty label")


class MaintenanceFile(Section):
    """`maintenance.yaml`: when work that is known before rings nobody."""

    windows: Annotated[tuple[WindowShape, ...], at_least_one("has no window")]
    """All of them."""


def load_windows(path: Path) -> tuple[Window, ...]:
    """Read ``maintenance.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    return tuple(_window(shape) for shape in load_section(path, MaintenanceFile).windows)


def _window(shape: WindowShape) -> Window:
    return Window(
        name=shape.name,
        matchers=shape.matchers,
        reason=shape.reason,
        start_ms=_ms(shape.since, shape),
        end_ms=_ms(shape.until, shape),
        interval=shape.interval,
        place=shape.at("interval"),
    )


def _ms(moment: datetime | None, shape: WindowShape) -> int | None:
    if moment is None:
        return None
    return epoch_ms(moment.date(), moment.time(), shape.time_zone)
