"""One game day from beginning to end: play, look at what tocsin said, score it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tocsin.client.client import ApiClient
from tocsin.client.wording import duration
from tocsin.gameday.attribution import DEFAULT_GRACE_MS
from tocsin.gameday.conditions import Conditions, load_of, one_minute_load, versions
from tocsin.gameday.platform import Catalogue
from tocsin.gameday.play import GameDay
from tocsin.gameday.scorecard import Scorecard, as_json, score
from tocsin.gameday.sightings import Sighting, sighting
from tocsin.gameday.truth import read_truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What is played.

    Attributes:
        names: Scenarios, faults and operations, in this order.
        seed: Seed of a schedule to play, if ``names`` is empty.
        hours: Length of the schedule, in hours of the platform's day.
    """

    names: tuple[str, ...] = ()
    seed: int = 1
    hours: float = 24.0

    @property
    def title(self) -> str:
        """Words for it."""
        return ", ".join(self.names) or f"seed {self.seed}, {self.hours:g} hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a game day came to."""

    title: str
    card: Scorecard
    sightings: tuple[Sighting, ...]
    conditions: Conditions
    schedule: Mapping[str, Any] | None = None

    def json(self) -> dict[str, Any]:
        """Return it as plain values."""
        incidents = [
            {
                "id": one.incident_id,
                "title": one.title,
                "severity": one.severity,
                "first_signal_ms": one.start_ms,
                "pages_ms": list(one.pages_ms),
                "cleared_ms": list(one.cleared_ms),
            }
            for one in self.sightings
        ]
        return {
            "title": self.title,
            **as_json(self.card),
            "incidents": incidents,
            "schedule": self.schedule,
            "conditions": asdict(self.conditions),
        }

    def falls_below(self, least: float) -> bool:
        """Return whether recall or precision is below ``least``; what is not known is not."""
        totals = self.card.totals
        return any(
            ratio is not None and ratio < least for ratio in (totals.recall, totals.precision)
        )


def run(
    day: GameDay,
    programme: Programme,
    *,
    api: ApiClient,
    catalogue: Catalogue,
    status: Mapping[str, Any],
    truth: Path,
    answered: bool,
    grace_ms: int = DEFAULT_GRACE_MS,
) -> Outcome:
    """Play and score.

    Args:
        day: Who plays and who answers.
        programme: What is played.
        api: The tocsin that is scored.
        catalogue: What the platform can play.
        status: What the platform says of itself.
        truth: Its ground-truth file.
        answered: Whether the game day answers the pages itself.
        grace_ms: A signal this long after a fault's end is still about it, milliseconds.

    Raises:
        GameDayError: It could not be played to its end.
    """
    started_ms, load_before = _now_ms(), one_minute_load()
    day.settle()
    schedule = None
    if programme.names:
        day.play(programme.names, catalogue.scenarios)
    else:
        schedule = day.play_schedule(programme.seed, programme.hours)
    sightings = sightings_since(api, started_ms)
    card = score(read_truth(truth, started_ms), sightings, grace_ms)
    health = api.health()
    return Outcome(
        title=programme.title,
        card=card,
        sightings=tuple(sightings),
        conditions=Conditions(
            started_ms=started_ms,
            ended_ms=_now_ms(),
            step_s=health["step_ms"] / 1_000,
            series=health["series"],
            versions=versions(health),
            load=load_of(status),
            cpus=os.cpu_count() or 1,
            load_average=(load_before, one_minute_load()),
            grace_s=grace_ms / 1_000,
            answered=answered,
        ),
        schedule=schedule,
    )


def sightings_since(api: ApiClient, start_ms: int) -> list[Sighting]:
    """Return what tocsin said from ``start_ms`` on, in the order in which it began."""
    found = [sighting(api.incident(one["id"])) for one in api.incidents(state="all")]
    later = [part for one in found if (part := one.since(start_ms)) is not None]
    return sorted(later, key=lambda one: one.start_ms)


def summary(card: Scorecard) -> Sequence[str]:
    """Return the scorecard in a few lines for a terminal."""
    lines = []
    for one in card.faults:
        if one.detected:
            paged = "not paged" if one.page_s is None else f"paged after {duration(one.page_s)}"
            rank = f", suspect {one.rank}" if one.rank else ", culprit not suspected"
            lines.append(
                f"{one.fault.name}: detected after {duration(one.detect_s)}, {paged}{rank}"
            )
        else:
            words = "missed" if one.fault.hurts else "not seen; viewers were not hurt"
            lines.append(f"{one.fault.name}: {words}")
    lines += [f"false page: {page.title} (during {page.during})" for page in card.false_pages]
    totals = card.totals
    lines.append(
        f"{totals.detected} of {totals.faults} faults detected, {totals.missed} missed; "
        f"{totals.pages} pages, {totals.false_pages} false"
    )
    return lines


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
