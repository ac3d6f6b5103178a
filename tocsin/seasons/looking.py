"""Looks for the seasons of detectors that name none, an hour after another, beside the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

import numpy as np
import structlog

from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.rules.detector_rule import DetectorRule
from anomaly.seasons.finding import Season, season_of
from anomaly.seasons.hours import local_hours
from collectors.background import Background
from collectors.errors import InputError, StorageError
from collectors.model import Frame
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Database, Window
from tocsin.collecting import Collectors
from tocsin.configuration.reloading import Reloader
from tocsin.seasons.keeping import (
    FORGIVEN,
    KeptSeason,
    keep_seasons,
    kept_seasons,
    wants_season,
    zone_of,
)

MAX_LINES = 20
"""Lines of a detector that are looked at: those that were measured for longest."""
HISTORY_DAYS = 35
_HOUR_MS = 3_600_000
_EVERY_S = 3_600.0

_log = structlog.get_logger(__name__)


class Hourly(Protocol):
    """What of a store is asked."""

    def fetch_hours(self, expr: str, window: Window) -> Frame:
        """Return what an expression was in each hour."""
        ...


class StoredHours:
    """Hours of expressions of both languages.

    Args:
        database: Where the numbers are; it may have samples, too.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def fetch_hours(self, expr: str, window: Window) -> Frame:
        """Return what an expression was in each hour.

        Raises:
            InputError: It can't be evaluated.
            StorageError: History failed.
        """
        return evaluate(expr, self._database, window)


def looked_for(
    definitions: Iterable[DetectorDefinition],
    known: Mapping[str, KeptSeason],
    hours: Hourly,
    now_ms: int,
) -> dict[str, KeptSeason]:
    """Return what is known of the seasons of detectors that leave theirs open.

    Args:
        definitions: All detectors.
        known: What was known so far.
        hours: Their past.
        now_ms: The present.
    """
    found: dict[str, KeptSeason] = {}
    for definition in definitions:
        if not wants_season(definition):
            continue
        before = known.get(definition.name)
        if before is not None and (before.expr, before.zone) != (
            definition.expr,
            zone_of(definition),
        ):
            before = None
        try:
            now = _looked_at(definition, hours, now_ms)
        except (InputError, StorageError) as error:
            _log.warning("no season", detector=definition.name, reason=error.message)
            if before is not None:
                found[definition.name] = before
            continue
        found[definition.name] = _settled(before, now)
    return found


def _settled(before: KeptSeason | None, now: KeptSeason) -> KeptSeason:
    """Return what holds from now on: one miss is no reason to forget a season."""
    if before is None or not before.hours or now.hours == before.hours:
        return now
    missed = before.missed + 1
    if now.hours > before.hours or missed >= FORGIVEN:
        return now
    words = f"{before.words}; not found again {missed} times in a row"
    return replace(before, missed=missed, words=words, looked_ms=now.looked_ms)


def _looked_at(definition: DetectorDefinition, hours: Hourly, now_ms: int) -> KeptSeason:
    zone = zone_of(definition)
    end_ms = now_ms // _HOUR_MS * _HOUR_MS
    window = Window(
        start_ms=end_ms - (HISTORY_DAYS * 24 - 1) * _HOUR_MS, end_ms=end_ms, step_ms=_HOUR_MS
    )
    values = hours.fetch_hours(definition.expr, window).values
    measured = np.isfinite(values).sum(axis=1)
    chosen = np.argsort(-measured, kind="stable")[:MAX_LINES]
    first_s = (window.start_ms - _HOUR_MS) // 1_000
    seasons = [season_of(local_hours(values[row], first_s, zone)[0]) for row in chosen.tolist()]
    best = _of_most(seasons)
    return KeptSeason(
        expr=definition.expr,
        zone=zone,
        hours=best.hours,
        strength=round(best.strength, 3),
        days=best.days,
        lines=len(seasons),
        words=best.words,
        looked_ms=now_ms,
    )


def _of_most(seasons: list[Season]) -> Season:
    """Return the strongest season of the length that most lines have that can be judged."""
    if not seasons:
        return Season(words="not enough history yet: it has no lines")
    judged = [one for one in seasons if one.enough]
    if not judged:
        return max(seasons, key=lambda one: one.days)
    lengths = [one.hours for one in judged]
    most = max(sorted(set(lengths), reverse=True), key=lengths.count)
    return max((one for one in judged if one.hours == most), key=lambda one: one.strength)


@contextmanager
def finding_seasons(collectors: Collectors, reloader: Reloader) -> Iterator[None]:
    """Look for seasons, now and each hour; rules are told when one was found or given up."""
    hours = StoredHours(collectors.metrics)

    def look() -> None:
        known = kept_seasons(collectors.data_dir)
        definitions = reloader.configuration.definitions.get(DetectorRule.kind, ())
        found = looked_for(definitions, known, hours, collectors.clock.now_ms())
        if found == dict(known):
            return
        if not keep_seasons(collectors.data_dir, found, collectors.machine):
            return
        if _lengths(found) != _lengths(known):
            _log.info("seasons", found={name: one.words for name, one in found.items()})
            reloader.use_again()

    work = Background("tocsin-seasons", look, interval_s=_EVERY_S)
    work.request()
    work.start()
    try:
        yield
    finally:
        work.close(5.0)


def _lengths(seasons: Mapping[str, KeptSeason]) -> dict[str, int]:
    return {name: one.hours for name, one in seasons.items() if one.hours}
